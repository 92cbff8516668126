package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.wire.RequestText;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v2/models/{m}/generate_stream}: each top-level key whose name is an input becomes that tensor.
 *
 * <p>A key that is no input becomes a request parameter, without a word; so only names are sent that the model's family
 * has. Only what the client gave is sent, but for these: the prompt would be echoed without {@code exclude_input_in_output};
 * greedy is {@code top_k} 1, for a temperature of 0 is out of TensorRT-LLM's range.
 */
final class TritonRequest {
    private static final JsonFactory JSON = new JsonFactory();

    private TritonRequest() {}

    /** What the model can't do of what the request asks for; null where it can do it all. */
    static @Nullable String unsupported(TaskRequest request, TritonModel model) {
        if (request.seed().isPresent() && model.seedName().isEmpty()) {
            return "the model has no input for a seed";
        }
        TaskRequest.Sampling sampling = request.sampling();
        if (model.family() == TritonModel.Family.LLM_API && !isOff(sampling.repeatPenalty())) {
            return "the model has no input for repeat_penalty";
        }
        if (sampling.jsonSchema() != null && !model.guided()) {
            return "the model has no input for json_schema";
        }
        return null;
    }

    private static boolean isOff(double repeatPenalty) {
        return Double.isNaN(repeatPenalty) || repeatPenalty == 1;
    }

    /** Writes the body; the caller releases it. */
    static ByteBuf body(TaskRequest request, TritonModel model, ByteBufAllocator allocator) throws IOException {
        String prompt = request.prompt() == null ? "" : request.prompt();
        ByteBuf out = allocator.buffer(256 + prompt.length());
        boolean written = false;
        try (OutputStream stream = new ByteBufOutputStream(out);
                JsonGenerator g = JSON.createGenerator(stream)) {
            g.writeStartObject();
            g.writeStringField("text_input", RequestText.paired(prompt));
            if (model.family() == TritonModel.Family.LLM_API) {
                writeLlmApi(g, request, model);
            } else {
                writeEnsemble(g, request, model);
            }
            g.writeEndObject();
            written = true;
        } finally {
            if (!written) {
                out.release();
            }
        }
        return out;
    }

    private static void writeEnsemble(JsonGenerator g, TaskRequest request, TritonModel model) throws IOException {
        g.writeBooleanField("stream", true);
        g.writeBooleanField("exclude_input_in_output", true);
        g.writeNumberField("max_tokens", request.maxTokens());
        writeSeed(g, request, model);
        TaskRequest.Sampling sampling = request.sampling();
        writePicking(g, "", sampling);
        if (!isOff(sampling.repeatPenalty())) {
            g.writeNumberField("repetition_penalty", sampling.repeatPenalty());
        }
        writeStops(g, "stop_words", sampling);
        if (sampling.jsonSchema() != null) {
            g.writeStringField("guided_decoding_guide_type", "json_schema");
            g.writeStringField("guided_decoding_guide", RequestText.paired(sampling.jsonSchema()));
        }
    }

    private static void writeLlmApi(JsonGenerator g, TaskRequest request, TritonModel model) throws IOException {
        g.writeBooleanField("streaming", true);
        g.writeBooleanField("sampling_param_exclude_input_from_output", true);
        if (model.finishReason()) {
            g.writeBooleanField("return_finish_reason", true);
        }
        g.writeNumberField("sampling_param_max_tokens", request.maxTokens());
        writeSeed(g, request, model);
        writePicking(g, "sampling_param_", request.sampling());
        writeStops(g, "sampling_param_stop", request.sampling());
    }

    private static void writeSeed(JsonGenerator g, TaskRequest request, TritonModel model) throws IOException {
        if (request.seed().isPresent()) {
            g.writeNumberField(model.seedName(), request.seed().getAsLong());
        }
    }

    private static void writePicking(JsonGenerator g, String prefix, TaskRequest.Sampling sampling) throws IOException {
        if (sampling.temperature() == 0 || sampling.topP() == 0) {
            g.writeNumberField(prefix + "top_k", 1);
            return;
        }
        if (!Double.isNaN(sampling.temperature())) {
            g.writeNumberField(prefix + "temperature", sampling.temperature());
        }
        if (!Double.isNaN(sampling.topP())) {
            g.writeNumberField(prefix + "top_p", sampling.topP());
        }
        if (sampling.topK() >= 0) {
            g.writeNumberField(prefix + "top_k", sampling.topK());
        }
    }

    private static void writeStops(JsonGenerator g, String name, TaskRequest.Sampling sampling) throws IOException {
        if (!sampling.stop().isEmpty()) {
            g.writeArrayFieldStart(name);
            for (String stop : sampling.stop()) {
                g.writeString(RequestText.paired(stop));
            }
            g.writeEndArray();
        }
    }
}
