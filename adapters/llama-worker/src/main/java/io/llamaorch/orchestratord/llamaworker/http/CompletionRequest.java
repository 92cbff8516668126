package io.llamaorch.orchestratord.llamaworker.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaSampler;
import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import io.llamaorch.orchestratord.llamaworker.engine.Completion;
import io.llamaorch.orchestratord.llamaworker.schema.GrammarLimits;
import io.llamaorch.orchestratord.llamaworker.schema.JsonSchemaGrammar;
import io.llamaorch.orchestratord.llamaworker.schema.SchemaException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /completion}, checked. What llama-server would ignore is ignored; a sampler that it has and this
 * worker has not is refused where the request turns it on, for the text would be another one.
 *
 * @param completion what to decode
 * @param stream whether the answer is a stream of events
 * @param returnTokens whether an answer that is no stream names its tokens
 */
record CompletionRequest(Completion completion, boolean stream, boolean returnTokens) {
    private static final int STOPS_MAX = 64;

    /** Members that are refused with any value but these neutral ones. */
    private static final Map<String, Double> OFF = Map.ofEntries(
            Map.entry("mirostat", 0.0),
            Map.entry("dry_multiplier", 0.0),
            Map.entry("xtc_probability", 0.0),
            Map.entry("dynatemp_range", 0.0),
            Map.entry("n_probs", 0.0),
            Map.entry("n_cmpl", 1.0),
            Map.entry("n", 1.0),
            Map.entry("n_keep", 0.0),
            Map.entry("t_max_predict_ms", 0.0),
            Map.entry("id_slot", -1.0));

    /** Reads the body. Takes as long as a prompt of a whole context takes to tokenize. */
    static CompletionRequest read(byte[] body, LlamaModel model, int ctx) throws WireError {
        Reading reading = new Reading(model, ctx);
        try (JsonParser p = Json.parser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                throw WireError.invalid("the body is not a JSON object");
            }
            while (p.nextToken() != JsonToken.END_OBJECT) {
                reading.member(p, p.currentName(), p.nextToken());
            }
        } catch (IOException e) {
            throw WireError.invalid("the body is not JSON");
        }
        return reading.request();
    }

    private static final class Reading {
        private final LlamaModel model;
        private final int ctx;
        private int[] prompt = {};
        private boolean promptSeen;
        private boolean stream;
        private boolean returnTokens;
        private boolean cachePrompt = true;
        private int predictMax = -1;
        private long seed = -1;
        private double temperature = 0.8;
        private int topK = 40;
        private double topP = 0.95;
        private double minP = 0.05;
        private double typicalP = 1;
        private int repeatLastN = 64;
        private double repeatPenalty = 1;
        private double presencePenalty;
        private double frequencyPenalty;
        private boolean ignoreEos;
        private @Nullable String grammar;
        private @Nullable String schemaGrammar;
        private final List<String> stop = new ArrayList<>();

        Reading(LlamaModel model, int ctx) {
            this.model = model;
            this.ctx = ctx;
        }

        void member(JsonParser p, String name, JsonToken value) throws IOException, WireError {
            if (value == JsonToken.VALUE_NULL) {
                return;
            }
            switch (name) {
                case "prompt" -> prompt(p, value);
                case "stream" -> stream = flag(name, value);
                case "return_tokens" -> returnTokens = flag(name, value);
                case "cache_prompt" -> cachePrompt = flag(name, value);
                case "ignore_eos" -> ignoreEos = flag(name, value);
                case "n_predict", "max_tokens", "max_completion_tokens" ->
                    predictMax = (int) integer(p, name, value, -1, Integer.MAX_VALUE);
                case "seed" -> seed = integer(p, name, value, -1, 0xffff_ffffL);
                case "temperature" -> temperature = number(p, name, value, -1, 100);
                case "top_k" -> topK = (int) integer(p, name, value, Integer.MIN_VALUE, Integer.MAX_VALUE);
                case "top_p" -> topP = number(p, name, value, 0, 1);
                case "min_p" -> minP = number(p, name, value, 0, 1);
                case "typical_p" -> typicalP = number(p, name, value, 0, 1);
                case "repeat_last_n" -> repeatLastN = (int) integer(p, name, value, -1, 1 << 20);
                case "repeat_penalty" -> repeatPenalty = number(p, name, value, 0, 100);
                case "presence_penalty" -> presencePenalty = number(p, name, value, -100, 100);
                case "frequency_penalty" -> frequencyPenalty = number(p, name, value, -100, 100);
                case "grammar" -> grammar(string(p, name, value));
                case "stop" -> stops(p, value);
                case "json_schema" -> schema(p);
                case "lora", "logit_bias" -> refuseUnlessEmpty(p, name);
                default -> {
                    Double off = OFF.get(name);
                    if (off != null && number(p, name, value, -1e9, 1e9) != off) {
                        throw WireError.unsupported("this worker has no \"" + name + "\"");
                    }
                    p.skipChildren();
                }
            }
        }

        private void refuseUnlessEmpty(JsonParser p, String name) throws IOException, WireError {
            boolean array = p.currentToken() == JsonToken.START_ARRAY;
            if (!array || p.nextToken() != JsonToken.END_ARRAY) {
                throw WireError.unsupported("this worker has no \"" + name + "\"");
            }
        }

        private void prompt(JsonParser p, JsonToken value) throws IOException, WireError {
            promptSeen = true;
            if (value == JsonToken.VALUE_STRING) {
                prompt = tokenize(p.getText(), true);
                return;
            }
            if (value != JsonToken.START_ARRAY) {
                throw WireError.invalid("\"prompt\" must be a string or a list of tokens and strings");
            }
            int[] joined = new int[16];
            int count = 0;
            while (p.nextToken() != JsonToken.END_ARRAY) {
                int[] next;
                if (p.currentToken() == JsonToken.VALUE_STRING) {
                    next = tokenize(p.getText(), count == 0);
                } else if (p.currentToken() == JsonToken.VALUE_NUMBER_INT) {
                    next = new int[] {(int) integer(p, "prompt", p.currentToken(), 0, model.vocabSize() - 1)};
                } else {
                    throw WireError.invalid("\"prompt\" must be a string or a list of tokens and strings");
                }
                if (count >= ctx) {
                    throw WireError.tooLong(count, ctx);
                }
                if (count + next.length > joined.length) {
                    joined = Arrays.copyOf(joined, 2 * (count + next.length));
                }
                System.arraycopy(next, 0, joined, count, next.length);
                count += next.length;
            }
            prompt = Arrays.copyOf(joined, count);
        }

        /** Tokens of a part of the prompt; what is surely too long is not gone through, for that may take seconds. */
        private int[] tokenize(String text, boolean addSpecial) throws WireError {
            int least = text.length() / model.longestToken();
            if (least >= ctx) {
                throw WireError.tooLong(least, ctx);
            }
            return model.tokenize(text, addSpecial, true);
        }

        private void grammar(String rules) throws WireError {
            if (rules.isEmpty()) {
                grammar = null;
                return;
            }
            String problem = GrammarLimits.problemOf(rules);
            if (problem != null) {
                throw WireError.invalid(problem);
            }
            if (!LlamaSampler.canRead(model, rules)) {
                throw WireError.invalid("\"grammar\" can't be read, or has no rule \"root\"");
            }
            grammar = rules;
        }

        private void schema(JsonParser p) throws IOException, WireError {
            try {
                schemaGrammar = JsonSchemaGrammar.read(p);
            } catch (SchemaException e) {
                throw WireError.unsupported(String.valueOf(e.getMessage()));
            }
            if (GrammarLimits.problemOf(schemaGrammar) != null || !LlamaSampler.canRead(model, schemaGrammar)) {
                throw WireError.unsupported("the grammar of this json_schema is too large");
            }
        }

        private void stops(JsonParser p, JsonToken value) throws IOException, WireError {
            stop.clear();
            if (value != JsonToken.START_ARRAY) {
                p.skipChildren();
                return;
            }
            while (p.nextToken() != JsonToken.END_ARRAY) {
                String text = string(p, "stop", p.currentToken());
                if (!text.isEmpty()) {
                    stop.add(text);
                }
            }
            if (stop.size() > STOPS_MAX) {
                throw WireError.invalid("\"stop\" has " + stop.size() + " texts, more than " + STOPS_MAX);
            }
        }

        private static boolean flag(String name, JsonToken value) throws WireError {
            if (!value.isBoolean()) {
                throw WireError.invalid("\"" + name + "\" must be true or false");
            }
            return value == JsonToken.VALUE_TRUE;
        }

        private static String string(JsonParser p, String name, @Nullable JsonToken value)
                throws IOException, WireError {
            if (value != JsonToken.VALUE_STRING) {
                throw WireError.invalid("\"" + name + "\" must be a string");
            }
            return p.getText();
        }

        private static long integer(JsonParser p, String name, @Nullable JsonToken value, long least, long most)
                throws IOException, WireError {
            double number = number(p, name, value, (double) least, (double) most);
            if (number != Math.rint(number)) {
                throw WireError.invalid("\"" + name + "\" must be an integer");
            }
            return (long) number;
        }

        private static double number(JsonParser p, String name, @Nullable JsonToken value, double least, double most)
                throws IOException, WireError {
            if (value == null || !value.isNumeric()) {
                throw WireError.invalid("\"" + name + "\" must be a number");
            }
            double number = p.getDoubleValue();
            if (!(number >= least && number <= most)) {
                throw WireError.invalid("\"" + name + "\" must lie within " + shown(least) + " and " + shown(most));
            }
            return number;
        }

        private static String shown(double limit) {
            return limit == Math.rint(limit) ? String.valueOf((long) limit) : String.valueOf(limit);
        }

        CompletionRequest request() throws WireError {
            if (!promptSeen) {
                throw WireError.invalid("\"prompt\" must be provided");
            }
            if (prompt.length == 0) {
                throw WireError.invalid("\"prompt\" has no token");
            }
            if (prompt.length >= ctx) {
                throw WireError.tooLong(prompt.length, ctx);
            }
            if (grammar != null && schemaGrammar != null) {
                throw WireError.invalid("\"grammar\" and \"json_schema\" exclude each other");
            }
            String rules = grammar == null ? schemaGrammar : grammar;
            if (ignoreEos && rules != null) {
                throw WireError.invalid("\"ignore_eos\" and a grammar exclude each other");
            }
            boolean random = seed < 0 || seed == 0xffff_ffffL;
            Sampling sampling = new Sampling(
                    random ? ThreadLocalRandom.current().nextInt() : (int) seed,
                    (float) temperature,
                    topK,
                    (float) topP,
                    (float) minP,
                    (float) typicalP,
                    repeatLastN,
                    (float) repeatPenalty,
                    (float) presencePenalty,
                    (float) frequencyPenalty,
                    ignoreEos,
                    rules);
            Completion completion = new Completion(prompt, predictMax, sampling, List.copyOf(stop), cachePrompt);
            return new CompletionRequest(completion, stream, returnTokens);
        }
    }
}
