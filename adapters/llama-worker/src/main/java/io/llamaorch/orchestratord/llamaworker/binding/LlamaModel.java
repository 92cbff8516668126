package io.llamaorch.orchestratord.llamaworker.binding;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/** A loaded model with its vocabulary, for this process's life. Immutable; any thread may ask. */
@SuppressWarnings("restricted") // One upcall for the log; the launcher allows it.
public final class LlamaModel {
    private static final int LOG_WARN = 3;
    private static final int LOG_ERROR = 4;

    final LlamaApi api;
    final MemorySegment model;
    final MemorySegment vocab;
    private final byte[][] pieces;
    private final boolean[] endsGeneration;
    private final int longestToken;

    private LlamaModel(LlamaApi api, MemorySegment model, MemorySegment vocab) {
        this.api = api;
        this.model = model;
        this.vocab = vocab;
        int tokens = number(api.vocabTokens, vocab);
        pieces = new byte[tokens][];
        endsGeneration = new boolean[tokens];
        int longest = 1;
        try (Arena arena = Arena.ofConfined()) {
            for (int token = 0; token < tokens; token++) {
                pieces[token] = readPiece(arena, token);
                MemorySegment text = (MemorySegment) api.vocabText.invokeExact(vocab, token);
                longest = Math.max(
                        longest, text.reinterpret(Long.MAX_VALUE).getString(0).length());
                longest = Math.max(longest, pieces[token].length);
                endsGeneration[token] = (boolean) api.vocabIsEog.invokeExact(vocab, token);
            }
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
        longestToken = longest;
    }

    /**
     * Loads a model; takes as long as the file is large.
     *
     * @param log told what llama.cpp warns of, one line at a time, on the thread that it happens on
     * @throws ModelException where llama.cpp refuses the file
     */
    public static LlamaModel load(NativeLibrary library, Path file, Consumer<String> log)
            throws NativeLibraryException, ModelException {
        LlamaApi api = new LlamaApi(library);
        LogLines lines = new LogLines(log);
        try (Arena arena = Arena.ofConfined()) {
            api.backendInit.invokeExact();
            api.logSet.invokeExact(logStub(lines), MemorySegment.NULL);
            MemorySegment params = (MemorySegment) api.modelDefaults.invokeExact((SegmentAllocator) arena);
            MemorySegment model =
                    (MemorySegment) api.modelLoad.invokeExact(arena.allocateFrom(file.toString()), params);
            if (model.address() == 0) {
                throw new ModelException("llama.cpp does not load " + file.getFileName() + ": " + lines.lastError());
            }
            if ((boolean) api.modelHasEncoder.invokeExact(model) || (boolean) api.modelIsRecurrent.invokeExact(model)) {
                throw new ModelException(
                        file.getFileName() + " is no decoder-only transformer; this worker serves no" + " other kind");
            }
            if (architecture(api, arena, model).contains("bert")) {
                throw new ModelException(file.getFileName() + " is a model for embeddings; this worker serves none");
            }
            return new LlamaModel(api, model, (MemorySegment) api.modelVocab.invokeExact(model));
        } catch (ModelException e) {
            throw e;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    private static String architecture(LlamaApi api, Arena arena, MemorySegment model) throws Throwable {
        MemorySegment out = arena.allocate(64);
        MemorySegment key = arena.allocateFrom("general.architecture");
        int length = (int) api.modelMeta.invokeExact(model, key, out, 64L);
        return length < 0 ? "" : out.getString(0);
    }

    private static MemorySegment logStub(LogLines lines) throws NoSuchMethodException, IllegalAccessException {
        return Linker.nativeLinker()
                .upcallStub(
                        MethodHandles.lookup()
                                .bind(
                                        lines,
                                        "accept",
                                        MethodType.methodType(
                                                void.class, int.class, MemorySegment.class, MemorySegment.class)),
                        FunctionDescriptor.ofVoid(JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                        Arena.global());
    }

    /** Tokens of {@code text}; {@code addSpecial} where the model's own first token belongs before it. */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, utf8.length));
            MemorySegment.copy(utf8, 0, bytes, JAVA_BYTE, 0, utf8.length);
            int room = utf8.length + 8;
            MemorySegment out = arena.allocate(JAVA_INT, room);
            int count = (int) api.tokenize.invokeExact(vocab, bytes, utf8.length, out, room, addSpecial, parseSpecial);
            if (count < 0) {
                room = -count;
                out = arena.allocate(JAVA_INT, room);
                count = (int) api.tokenize.invokeExact(vocab, bytes, utf8.length, out, room, addSpecial, parseSpecial);
            }
            return out.asSlice(0, 4L * count).toArray(JAVA_INT);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** Bytes that {@code token} stands for, not always whole characters; none for a control token. Not to be changed. */
    public byte[] piece(int token) {
        return pieces[token];
    }

    /** Whether {@code token} ends a generation. */
    public boolean isEndOfGeneration(int token) {
        return endsGeneration[token];
    }

    /** Most characters of a text that one token stands for, or more. */
    public int longestToken() {
        return longestToken;
    }

    /** Tokens of the vocabulary. */
    public int vocabSize() {
        return pieces.length;
    }

    /** Context that the model was trained with, tokens. */
    public int ctxTrain() {
        return number(api.modelCtxTrain, model);
    }

    /** Width of an embedding. */
    public int embd() {
        return number(api.modelEmbd, model);
    }

    /** Weights. */
    public long params() {
        return longNumber(api.modelParams, model);
    }

    /** Size of the weights, bytes. */
    public long sizeBytes() {
        return longNumber(api.modelSize, model);
    }

    private byte[] readPiece(Arena arena, int token) throws Throwable {
        MemorySegment out = arena.allocate(256);
        int length = (int) api.tokenToPiece.invokeExact(vocab, token, out, 256, 0, false);
        if (length < 0) {
            out = arena.allocate(-length);
            length = (int) api.tokenToPiece.invokeExact(vocab, token, out, -length, 0, false);
        }
        return Arrays.copyOf(out.toArray(JAVA_BYTE), Math.max(0, length));
    }

    private static int number(java.lang.invoke.MethodHandle of, MemorySegment what) {
        try {
            return (int) of.invokeExact(what);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    private static long longNumber(java.lang.invoke.MethodHandle of, MemorySegment what) {
        try {
            return (long) of.invokeExact(what);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** What llama.cpp logs, from any thread; it says one line in several calls, so each call stands alone here. */
    static final class LogLines {
        private final Consumer<String> log;
        private volatile String lastError = "no reason was given";

        LogLines(Consumer<String> log) {
            this.log = log;
        }

        /** Called from C: must not throw. */
        void accept(int level, MemorySegment text, MemorySegment unused) {
            if (level != LOG_WARN && level != LOG_ERROR) {
                return;
            }
            String line = text.reinterpret(Long.MAX_VALUE).getString(0).strip();
            if (!line.isEmpty()) {
                if (level == LOG_ERROR) {
                    lastError = line;
                }
                log.accept(line);
            }
        }

        String lastError() {
            return lastError;
        }
    }
}
