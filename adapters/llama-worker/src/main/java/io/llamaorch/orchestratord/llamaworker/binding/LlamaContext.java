package io.llamaorch.orchestratord.llamaworker.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * The key-value cache of all slots, and the one batch that is decoded at a time. Owned by the decode thread.
 *
 * <p>A slot is a sequence of llama.cpp. {@link #add} fills the batch, {@link #decode} runs a part of it; the logits of
 * the tokens of that part that asked for them can then be sampled by their place in it.
 */
@SuppressWarnings("restricted") // One upcall for the abort; the launcher allows it.
public final class LlamaContext implements AutoCloseable {
    /** {@link #decode}: no room in the cache for so many tokens at once; fewer may still fit. */
    public static final int NO_ROOM = 1;
    /** {@link #decode}: broken off by {@link #abort}; truncate the slots of the batch to where they were. */
    public static final int ABORTED = 2;

    final LlamaApi api;
    final MemorySegment context;
    private final int batchMax;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment seqCounts;
    private final MemorySegment seqs;
    private final MemorySegment seqPointers;
    private final MemorySegment wants;
    private final MemorySegment batch;
    private int size;
    private volatile boolean aborting;

    /**
     * Makes room for {@code slots} sequences of {@code ctx} tokens each.
     *
     * @param batchMax most tokens decoded at once, ≥ slots
     */
    public LlamaContext(LlamaModel model, int ctx, int slots, int batchMax, int threads) throws ModelException {
        this.api = model.api;
        this.batchMax = batchMax;
        try (Arena call = Arena.ofConfined()) {
            MemorySegment params = (MemorySegment) api.contextDefaults.invokeExact((SegmentAllocator) call);
            set(params, "n_ctx", Math.multiplyExact(ctx, slots));
            set(params, "n_batch", batchMax);
            set(params, "n_ubatch", batchMax);
            set(params, "n_seq_max", slots);
            set(params, "n_threads", threads);
            set(params, "n_threads_batch", threads);
            // llama-server's own default: closes the holes that sequences of unequal length leave.
            params.set(JAVA_FLOAT, LlamaApi.offset(LlamaApi.CONTEXT_PARAMS, "defrag_thold"), 0.1f);
            context = (MemorySegment) api.contextInit.invokeExact(model.model, params);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
        if (context.address() == 0) {
            throw new ModelException("llama.cpp cannot make room for " + slots + " slots of " + ctx + " tokens each");
        }
        tokens = arena.allocate(JAVA_INT, batchMax);
        positions = arena.allocate(JAVA_INT, batchMax);
        seqCounts = arena.allocate(JAVA_INT, batchMax);
        seqs = arena.allocate(JAVA_INT, batchMax);
        seqPointers = arena.allocate(ADDRESS, batchMax);
        wants = arena.allocate(JAVA_BYTE, batchMax);
        batch = arena.allocate(LlamaApi.BATCH);
        watchForAbort();
        for (int i = 0; i < batchMax; i++) {
            seqCounts.setAtIndex(JAVA_INT, i, 1);
            seqPointers.setAtIndex(ADDRESS, i, seqs.asSlice(4L * i, 4));
        }
    }

    private void watchForAbort() {
        try {
            MethodHandle asked = MethodHandles.lookup()
                    .bind(this, "isAborting", MethodType.methodType(boolean.class, MemorySegment.class));
            MemorySegment stub = Linker.nativeLinker()
                    .upcallStub(asked, FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS), Arena.global());
            api.setAbort.invokeExact(context, stub, MemorySegment.NULL);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** Asked from C before each operation of a graph: a matrix product or less. */
    @SuppressWarnings("UnusedMethod") // By its name, above.
    private boolean isAborting(MemorySegment unused) {
        return aborting;
    }

    /** Breaks off the decode at hand and those that follow, until {@link #resume}. Any thread. */
    public void abort() {
        aborting = true;
    }

    /** Lets decodes run again. */
    public void resume() {
        aborting = false;
    }

    private static void set(MemorySegment params, String member, int value) {
        params.set(JAVA_INT, LlamaApi.offset(LlamaApi.CONTEXT_PARAMS, member), value);
    }

    /** Empties the batch. */
    public void clearBatch() {
        size = 0;
    }

    /** Tokens in the batch. */
    public int batchSize() {
        return size;
    }

    /** Tokens that the batch still takes. */
    public int batchRoom() {
        return batchMax - size;
    }

    /** Adds a token of a slot at its position; returns its place in the batch. */
    public int add(int token, int position, int slot, boolean wantLogits) {
        tokens.setAtIndex(JAVA_INT, size, token);
        positions.setAtIndex(JAVA_INT, size, position);
        seqs.setAtIndex(JAVA_INT, size, slot);
        wants.set(JAVA_BYTE, size, (byte) (wantLogits ? 1 : 0));
        return size++;
    }

    /**
     * Decodes {@code [from, from + count)} of the batch. Blocks for as long as that takes.
     *
     * @return 0, {@link #NO_ROOM}, {@link #ABORTED}, or another number where llama.cpp failed
     */
    public int decode(int from, int count) {
        batch.set(JAVA_INT, 0, count);
        point("token", tokens.asSlice(4L * from));
        point("pos", positions.asSlice(4L * from));
        point("n_seq_id", seqCounts);
        point("seq_id", seqPointers.asSlice(ADDRESS.byteSize() * from));
        point("logits", wants.asSlice(from));
        try {
            return (int) api.decode.invokeExact(context, batch);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    private void point(String member, MemorySegment to) {
        batch.set(ADDRESS, LlamaApi.offset(LlamaApi.BATCH, member), to);
    }

    /** Forgets a slot's tokens from {@code position} on. */
    public void truncate(int slot, int position) {
        try {
            boolean removed = (boolean) api.seqRemove.invokeExact(context, slot, position, -1);
            assert removed;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** Forgets all slots' tokens. */
    public void clear() {
        try {
            api.cacheClear.invokeExact(context);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    @Override
    public void close() {
        try {
            api.contextFree.invokeExact(context);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
        arena.close();
    }
}
