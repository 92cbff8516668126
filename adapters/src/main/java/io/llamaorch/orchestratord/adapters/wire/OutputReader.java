package io.llamaorch.orchestratord.adapters.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reads the two documents that engines agree on, OpenAI's embeddings and the rerank answer of Jina and Cohere:
 *
 * <pre>
 *   {"data":[{"index":0,"embedding":[0.1,…]},…],"usage":{"prompt_tokens":3,…}}
 *   {"results":[{"index":1,"relevance_score":3.2},…],"usage":{"prompt_tokens":3,…}}     in any order
 * </pre>
 *
 * <p>An answer is good only with one finite result for each input, all vectors of one length. Immutable.
 */
public final class OutputReader implements OutputCall.Reader {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int VECTOR_MAX = 1 << 17;

    private final String engine;
    private final boolean vectors;
    private final int count;
    private final BiFunction<Integer, byte[], EngineFailure> refusal;

    private OutputReader(
            String engine, boolean vectors, int count, BiFunction<Integer, byte[], EngineFailure> refusal) {
        this.engine = engine;
        this.vectors = vectors;
        this.count = count;
        this.refusal = refusal;
    }

    /**
     * A reader of embeddings.
     *
     * @param inputs how many there were
     * @param refusal the failure for a status and a body
     */
    public static OutputReader embeddings(
            String engine, int inputs, BiFunction<Integer, byte[], EngineFailure> refusal) {
        return new OutputReader(engine, true, inputs, refusal);
    }

    /**
     * A reader of scores.
     *
     * @param documents how many there were, the query not counted
     * @param refusal the failure for a status and a body
     */
    public static OutputReader scores(
            String engine, int documents, BiFunction<Integer, byte[], EngineFailure> refusal) {
        return new OutputReader(engine, false, documents, refusal);
    }

    @Override
    public String engine() {
        return engine;
    }

    @Override
    public EngineFailure refusal(int status, byte[] body) {
        return refusal.apply(status, body);
    }

    @Override
    public OutputCall.@Nullable Answer read(byte[] body) {
        try (JsonParser p = JSON.createParser(body)) {
            Reading reading = new Reading(p);
            reading.document();
            return p.nextToken() == null ? reading.answer() : null;
        } catch (IOException | RuntimeException e) {
            // Jackson refuses with unchecked exceptions too; whatever it is, it is no such document.
            return null;
        }
    }

    private final class Reading {
        private final JsonParser p;
        private final float[][] found = new float[vectors ? count : 0][0];
        private final double[] scores = new double[vectors ? 0 : count];
        private int tokensIn = -1;

        Reading(JsonParser p) {
            this.p = p;
            Arrays.fill(scores, Double.NaN);
        }

        void document() throws IOException {
            expect(p.nextToken(), JsonToken.START_OBJECT);
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals(vectors ? "data" : "results") && value == JsonToken.START_ARRAY) {
                    while (p.nextToken() != JsonToken.END_ARRAY) {
                        expect(p.currentToken(), JsonToken.START_OBJECT);
                        element();
                    }
                } else if (name.equals("usage") && value == JsonToken.START_OBJECT) {
                    usage();
                } else {
                    p.skipChildren();
                }
            }
        }

        private void element() throws IOException {
            int index = -1;
            float[] vector = {};
            double score = Double.NaN;
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("index") && value == JsonToken.VALUE_NUMBER_INT) {
                    index = p.getIntValue();
                } else if (name.equals("embedding") && value == JsonToken.START_ARRAY) {
                    vector = vector();
                } else if (name.equals("relevance_score") && value.isNumeric()) {
                    score = p.getDoubleValue();
                } else {
                    p.skipChildren();
                }
            }
            if (index < 0 || index >= count) {
                throw new IOException("index");
            }
            if (vectors) {
                found[index] = vector;
            } else {
                scores[index] = score;
            }
        }

        private float[] vector() throws IOException {
            float[] out = new float[1024];
            int length = 0;
            while (p.nextToken() != JsonToken.END_ARRAY) {
                float value = p.getFloatValue();
                if (length == VECTOR_MAX || !Float.isFinite(value)) {
                    throw new IOException("vector");
                }
                if (length == out.length) {
                    out = Arrays.copyOf(out, 2 * length);
                }
                out[length++] = value;
            }
            return Arrays.copyOf(out, length);
        }

        private void usage() throws IOException {
            int total = -1;
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (value == JsonToken.VALUE_NUMBER_INT && name.equals("prompt_tokens")) {
                    tokensIn = p.getIntValue();
                } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("total_tokens")) {
                    total = p.getIntValue();
                }
                p.skipChildren();
            }
            tokensIn = tokensIn > 0 ? tokensIn : total;
        }

        OutputCall.@Nullable Answer answer() {
            EngineUsage usage = new EngineUsage(FinishReason.STOP, tokensIn, 0, Double.NaN, Double.NaN);
            if (!vectors) {
                boolean whole = Arrays.stream(scores).allMatch(Double::isFinite);
                return whole ? new OutputCall.Answer(EngineOutput.ofScores(scores), usage) : null;
            }
            int length = count == 0 ? 0 : found[0].length;
            for (float[] vector : found) {
                if (vector.length == 0 || vector.length != length) {
                    return null;
                }
            }
            return new OutputCall.Answer(EngineOutput.ofEmbeddings(List.of(found)), usage);
        }

        private static void expect(JsonToken found, JsonToken wanted) throws IOException {
            if (found != wanted) {
                throw new IOException("shape");
            }
        }
    }
}
