package io.llamaorch.orchestratord.llamaworker.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import io.llamaorch.orchestratord.llamaworker.engine.Completion;
import io.llamaorch.orchestratord.llamaworker.engine.CompletionEnd;
import java.io.IOException;

/** The objects of a completion's answer, members in llama-server's order. */
final class Frames {
    private static final double NS_PER_MS = 1e6;

    private Frames() {}

    /** One token of a stream. */
    static void token(JsonGenerator g, int token, String text, int predicted, int evaluated) throws IOException {
        g.writeStartObject();
        g.writeNumberField("index", 0);
        g.writeStringField("content", text);
        g.writeArrayFieldStart("tokens");
        if (token >= 0) {
            g.writeNumber(token);
        }
        g.writeEndArray();
        g.writeBooleanField("stop", false);
        g.writeNumberField("id_slot", -1);
        g.writeNumberField("tokens_predicted", predicted);
        g.writeNumberField("tokens_evaluated", evaluated);
        g.writeEndObject();
    }

    /** The last object; {@code content} and {@code tokens} are empty in a stream. */
    static void last(
            JsonGenerator g, CompletionRequest request, String model, CompletionEnd end, String content, int[] tokens)
            throws IOException {
        g.writeStartObject();
        g.writeNumberField("index", 0);
        g.writeStringField("content", content);
        g.writeFieldName("tokens");
        g.writeArray(tokens, 0, tokens.length);
        g.writeNumberField("id_slot", end.slot());
        g.writeBooleanField("stop", true);
        g.writeStringField("model", model);
        g.writeNumberField("tokens_predicted", end.predicted());
        g.writeNumberField("tokens_evaluated", end.evaluated());
        g.writeFieldName("generation_settings");
        settings(g, request.completion(), request.stream());
        g.writeBooleanField("truncated", end.truncated());
        g.writeStringField("stop_type", end.stopType());
        g.writeStringField("stopping_word", end.stoppingWord());
        g.writeNumberField("tokens_cached", end.held());
        timings(g, end);
        g.writeEndObject();
    }

    private static void timings(JsonGenerator g, CompletionEnd end) throws IOException {
        int decoded = end.evaluated() - end.cached();
        g.writeObjectFieldStart("timings");
        g.writeNumberField("cache_n", end.cached());
        phase(g, "prompt", decoded, end.promptNs() / NS_PER_MS);
        phase(g, "predicted", end.predicted(), end.predictedNs() / NS_PER_MS);
        g.writeEndObject();
    }

    private static void phase(JsonGenerator g, String name, int tokens, double ms) throws IOException {
        g.writeNumberField(name + "_n", tokens);
        g.writeNumberField(name + "_ms", ms);
        g.writeNumberField(name + "_per_token_ms", tokens == 0 ? 0 : ms / tokens);
        g.writeNumberField(name + "_per_second", ms == 0 ? 0 : tokens * 1000 / ms);
    }

    /** The request's settings, each as it was applied: a seed that was not given is the one drawn. */
    static void settings(JsonGenerator g, Completion completion, boolean stream) throws IOException {
        Sampling sampling = completion.sampling();
        g.writeStartObject();
        g.writeNumberField("n_predict", completion.predictMax());
        g.writeNumberField("seed", Integer.toUnsignedLong(sampling.seed()));
        g.writeNumberField("temperature", sampling.temperature());
        g.writeNumberField("top_k", sampling.topK());
        g.writeNumberField("top_p", sampling.topP());
        g.writeNumberField("min_p", sampling.minP());
        g.writeNumberField("typical_p", sampling.typicalP());
        g.writeNumberField("repeat_last_n", sampling.repeatLastN());
        g.writeNumberField("repeat_penalty", sampling.repeatPenalty());
        g.writeNumberField("presence_penalty", sampling.presencePenalty());
        g.writeNumberField("frequency_penalty", sampling.frequencyPenalty());
        g.writeArrayFieldStart("stop");
        for (String stop : completion.stop()) {
            g.writeString(stop);
        }
        g.writeEndArray();
        g.writeNumberField("max_tokens", completion.predictMax());
        g.writeBooleanField("ignore_eos", sampling.ignoreEos());
        g.writeBooleanField("stream", stream);
        g.writeStringField("grammar", sampling.grammar() == null ? "" : sampling.grammar());
        g.writeEndObject();
    }
}
