package io.llamaorch.orchestratord.llamaworker.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A chain of llama.cpp's samplers with its own state: one decode's. Owned by the thread that uses it. */
@SuppressWarnings("restricted") // Reads the logits where llama.cpp keeps them.
public final class LlamaSampler implements AutoCloseable {
    /** {@link #sample}: the grammar allows no token of this vocabulary. */
    public static final int DEAD_END = -1;

    private static final long CANDIDATE_BYTES = LlamaApi.CANDIDATE.byteSize();

    private final LlamaApi api;
    private final MemorySegment chain;
    private final Arena arena = Arena.ofConfined();
    private final int vocabSize;
    private @Nullable MemorySegment grammar;
    private @Nullable MemorySegment candidates;

    private LlamaSampler(LlamaModel model) {
        api = model.api;
        vocabSize = model.vocabSize();
        chain = api.newChain();
    }

    /** Whether llama.cpp can read {@code grammar}. Any thread. */
    public static boolean canRead(LlamaModel model, String grammar) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rules = (MemorySegment) model.api.grammarParse.invokeExact(
                    model.vocab,
                    arena.allocateFrom(grammar),
                    arena.allocateFrom("root"),
                    false,
                    MemorySegment.NULL,
                    0L,
                    MemorySegment.NULL,
                    0L);
            if (rules.address() == 0) {
                return false;
            }
            model.api.grammarFree.invokeExact(rules);
            return true;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** The chain for {@code sampling}, in llama-server's order. Its grammar {@linkplain #canRead can be read}. */
    public static LlamaSampler of(LlamaModel model, Sampling sampling) {
        LlamaSampler sampler = new LlamaSampler(model);
        LlamaApi api = model.api;
        try (Arena call = Arena.ofConfined()) {
            if (sampling.ignoreEos()) {
                sampler.add(ignoreEos(model, call));
            }
            String rules = sampling.grammar();
            if (rules != null) {
                sampler.grammar = (MemorySegment)
                        api.grammar.invokeExact(model.vocab, call.allocateFrom(rules), call.allocateFrom("root"));
            }
            sampler.add((MemorySegment) api.penalties.invokeExact(
                    sampling.repeatLastN() < 0 ? model.ctxTrain() : sampling.repeatLastN(),
                    sampling.repeatPenalty(),
                    sampling.frequencyPenalty(),
                    sampling.presencePenalty()));
            if (sampling.temperature() <= 0) {
                sampler.add((MemorySegment) api.greedy.invokeExact());
                return sampler;
            }
            sampler.add((MemorySegment) api.topK.invokeExact(sampling.topK()));
            sampler.add((MemorySegment) api.typical.invokeExact(sampling.typicalP(), 1L));
            sampler.add((MemorySegment) api.topP.invokeExact(sampling.topP(), 1L));
            sampler.add((MemorySegment) api.minP.invokeExact(sampling.minP(), 1L));
            sampler.add((MemorySegment) api.temp.invokeExact(sampling.temperature()));
            sampler.add((MemorySegment) api.dist.invokeExact(sampling.seed()));
            return sampler;
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    private static MemorySegment ignoreEos(LlamaModel model, Arena arena) throws Throwable {
        int[] ends = IntStream.range(0, model.vocabSize())
                .filter(model::isEndOfGeneration)
                .toArray();
        MemorySegment biases = arena.allocate(8L * Math.max(1, ends.length), 4);
        for (int i = 0; i < ends.length; i++) {
            biases.set(JAVA_INT, 8L * i, ends[i]);
            biases.set(JAVA_FLOAT, 8L * i + 4, Float.NEGATIVE_INFINITY);
        }
        return (MemorySegment) model.api.logitBias.invokeExact(model.vocabSize(), ends.length, biases);
    }

    private void add(MemorySegment sampler) throws Throwable {
        api.chainAdd.invokeExact(chain, sampler);
    }

    /**
     * Draws the next token from the logits at {@code place} of what was decoded last, and takes it as drawn.
     *
     * @return the token, or {@link #DEAD_END}
     */
    public int sample(LlamaContext context, int place) {
        try {
            MemorySegment rules = grammar;
            return rules == null
                    ? (int) api.sample.invokeExact(chain, context.context, place)
                    : sampleWithin(rules, context, place);
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
    }

    /** Step by step, for a token drawn where the grammar allows none would end the process. */
    private int sampleWithin(MemorySegment rules, LlamaContext context, int place) throws Throwable {
        MemorySegment logits = (MemorySegment) api.logits.invokeExact(context.context, place);
        logits = logits.reinterpret(4L * vocabSize);
        MemorySegment list = candidates();
        MemorySegment data = list.get(ADDRESS, 0).reinterpret(CANDIDATE_BYTES * vocabSize);
        for (int token = 0; token < vocabSize; token++) {
            data.set(JAVA_INT, CANDIDATE_BYTES * token, token);
            data.set(JAVA_FLOAT, CANDIDATE_BYTES * token + 4, logits.getAtIndex(JAVA_FLOAT, token));
        }
        list.set(JAVA_LONG, LlamaApi.offset(LlamaApi.CANDIDATES, "size"), vocabSize);
        list.set(JAVA_LONG, LlamaApi.offset(LlamaApi.CANDIDATES, "selected"), -1L);
        list.set(JAVA_BOOLEAN, LlamaApi.offset(LlamaApi.CANDIDATES, "sorted"), false);
        api.apply.invokeExact(rules, list);
        boolean any = false;
        for (int i = 0; i < vocabSize && !any; i++) {
            any = data.get(JAVA_FLOAT, CANDIDATE_BYTES * i + 4) != Float.NEGATIVE_INFINITY;
        }
        if (!any) {
            return DEAD_END;
        }
        api.apply.invokeExact(chain, list);
        long selected = list.get(JAVA_LONG, LlamaApi.offset(LlamaApi.CANDIDATES, "selected"));
        int token = data.get(JAVA_INT, CANDIDATE_BYTES * selected);
        api.accept.invokeExact(rules, token);
        api.accept.invokeExact(chain, token);
        return token;
    }

    /** The list that samplers narrow down, with room for the whole vocabulary; made once a decode. */
    private MemorySegment candidates() {
        MemorySegment list = candidates;
        if (list == null) {
            list = arena.allocate(LlamaApi.CANDIDATES);
            list.set(ADDRESS, 0, arena.allocate(CANDIDATE_BYTES * vocabSize, 4));
            candidates = list;
        }
        return list;
    }

    @Override
    public void close() {
        try {
            api.samplerFree.invokeExact(chain);
            MemorySegment rules = grammar;
            if (rules != null) {
                grammar = null;
                api.samplerFree.invokeExact(rules);
            }
        } catch (Throwable e) {
            throw LlamaApi.broken(e);
        }
        arena.close();
    }
}
