package io.llamaorch.orchestratord.llamaworker.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import io.llamaorch.orchestratord.llamaworker.engine.Completion;
import io.llamaorch.orchestratord.llamaworker.engine.DecodeFigures;
import io.llamaorch.orchestratord.llamaworker.engine.DecodeLoop;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** The answers that are no completions. */
final class Documents {
    private static final double NS_PER_S = 1e9;
    private static final Completion DEFAULTS = new Completion(new int[0], -1, Sampling.defaults(-1), List.of(), true);

    private Documents() {}

    static byte[] health() {
        return Json.bytes(g -> {
            g.writeStartObject();
            g.writeStringField("status", "ok");
            g.writeEndObject();
        });
    }

    static byte[] props(Serving serving) {
        return Json.bytes(g -> {
            g.writeStartObject();
            g.writeObjectFieldStart("default_generation_settings");
            g.writeNumberField("n_ctx", serving.loop().ctx());
            g.writeFieldName("params");
            Frames.settings(g, DEFAULTS, false);
            g.writeEndObject();
            g.writeNumberField("total_slots", serving.loop().slotCount());
            g.writeStringField("model_path", serving.modelPath());
            g.writeStringField("build_info", serving.build());
            g.writeBooleanField("endpoint_slots", true);
            g.writeBooleanField("endpoint_props", false);
            g.writeBooleanField("endpoint_metrics", true);
            g.writeEndObject();
        });
    }

    static byte[] models(Serving serving) {
        LlamaModel model = serving.model();
        return Json.bytes(g -> {
            g.writeStartObject();
            g.writeStringField("object", "list");
            g.writeArrayFieldStart("data");
            g.writeStartObject();
            g.writeStringField("id", serving.modelName());
            g.writeStringField("object", "model");
            g.writeStringField("owned_by", "llamacpp");
            g.writeObjectFieldStart("meta");
            g.writeNumberField("n_ctx", serving.loop().ctx());
            g.writeNumberField("n_ctx_train", model.ctxTrain());
            g.writeNumberField("n_vocab", model.vocabSize());
            g.writeNumberField("n_embd", model.embd());
            g.writeNumberField("n_params", model.params());
            g.writeNumberField("size", model.sizeBytes());
            g.writeEndObject();
            g.writeEndObject();
            g.writeEndArray();
            g.writeEndObject();
        });
    }

    static byte[] slots(DecodeLoop loop) {
        return Json.bytes(g -> {
            g.writeStartArray();
            for (int id = 0; id < loop.slotCount(); id++) {
                g.writeStartObject();
                g.writeNumberField("id", id);
                g.writeNumberField("n_ctx", loop.ctx());
                g.writeBooleanField("speculative", false);
                g.writeBooleanField("is_processing", loop.isBusy(id));
                g.writeEndObject();
            }
            g.writeEndArray();
        });
    }

    /** Prometheus text. {@code tokens_predicted_total} counts what was drawn for canceled completions too. */
    static byte[] metrics(DecodeLoop loop) {
        DecodeFigures figures = loop.figures();
        StringBuilder out = new StringBuilder(2048);
        double promptS = figures.promptNs() / NS_PER_S;
        double predictedS = figures.predictedNs() / NS_PER_S;
        metric(out, "prompt_tokens_total", "counter", "Tokens of prompts that were decoded", (double)
                figures.promptTokens());
        metric(out, "prompt_seconds_total", "counter", "Time spent on prompts", promptS);
        metric(out, "tokens_predicted_total", "counter", "Tokens drawn, of ended completions", (double)
                figures.predictedTokens());
        metric(out, "tokens_predicted_seconds_total", "counter", "Time spent on them", predictedS);
        metric(out, "n_decode_total", "counter", "Batches decoded", (double) figures.batches());
        metric(
                out,
                "n_busy_slots_per_decode",
                "gauge",
                "Slots that drew from a batch, on average",
                figures.slotsPerBatch());
        metric(
                out,
                "prompt_tokens_seconds",
                "gauge",
                "Tokens of prompts a second",
                perSecond(figures.promptTokens(), promptS));
        metric(
                out,
                "predicted_tokens_seconds",
                "gauge",
                "Tokens drawn a second, each completion's own time",
                perSecond(figures.predictedTokens(), predictedS));
        metric(out, "requests_processing", "gauge", "Completions in slots", loop.processing());
        metric(out, "requests_deferred", "gauge", "Completions that wait for a slot", loop.deferred());
        return out.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static double perSecond(long tokens, double seconds) {
        return seconds == 0 ? 0 : tokens / seconds;
    }

    private static void metric(StringBuilder out, String name, String type, String help, double value) {
        String shown =
                value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.6f", value);
        out.append("# HELP llamacpp:").append(name).append(' ').append(help).append(".\n");
        out.append("# TYPE llamacpp:").append(name).append(' ').append(type).append('\n');
        out.append("llamacpp:").append(name).append(' ').append(shown).append('\n');
    }

    /** {@code POST /tokenize}. */
    static byte[] tokenize(byte[] body, LlamaModel model) throws WireError {
        String content = "";
        boolean addSpecial = false;
        boolean parseSpecial = true;
        try (JsonParser p = Json.parser(body)) {
            if (p.nextToken() != JsonToken.START_OBJECT) {
                throw WireError.invalid("the body is not a JSON object");
            }
            while (p.nextToken() != JsonToken.END_OBJECT) {
                String name = p.currentName();
                JsonToken value = p.nextToken();
                if (name.equals("content") && value == JsonToken.VALUE_STRING) {
                    content = p.getText();
                } else if (name.equals("add_special")) {
                    addSpecial = value == JsonToken.VALUE_TRUE;
                } else if (name.equals("parse_special")) {
                    parseSpecial = value != JsonToken.VALUE_FALSE;
                } else if (name.equals("with_pieces") && value == JsonToken.VALUE_TRUE) {
                    throw WireError.unsupported("this worker has no \"with_pieces\"");
                }
                p.skipChildren();
            }
        } catch (IOException e) {
            throw WireError.invalid("the body is not JSON");
        }
        int[] tokens = model.tokenize(content, addSpecial, parseSpecial);
        return Json.bytes(g -> tokens(g, tokens));
    }

    private static void tokens(JsonGenerator g, int[] tokens) throws IOException {
        g.writeStartObject();
        g.writeFieldName("tokens");
        g.writeArray(tokens, 0, tokens.length);
        g.writeEndObject();
    }
}
