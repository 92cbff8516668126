package io.llamaorch.orchestratord.adapters.triton;

import com.fasterxml.jackson.core.JsonGenerator;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v2/models/{m}/generate_stream}: each top-level key whose name is an input becomes that tensor.
 *
 * <p>A key that is no input becomes a request parameter, without a word; so only names are sent that the model's family
 * has. Only what the client gave is sent, but for these: the prompt would be echoed without {@code exclude_input_in_output};
 * greedy is {@code top_k} 1, for a temperature of 0 is out of TensorRT-LLM's range.
 *
 * @param request what the client asked for
 * @param model how the model wants to be asked
 */
record TritonRequest(TaskRequest request, TritonModel model) implements JsonBody {

    /** What the model can't do of what the request asks for; null where it can do it all. */
    @Nullable
    String unsupported() {
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

    @Override
    public void writeMembers(JsonGenerator g) throws IOException {
        String prompt = request.prompt();
        JsonBody.text(g, "text_input", prompt == null ? "" : prompt);
        boolean llmApi = model.family() == TritonModel.Family.LLM_API;
        g.writeBooleanField(llmApi ? "streaming" : "stream", true);
        g.writeBooleanField(llmApi ? "sampling_param_exclude_input_from_output" : "exclude_input_in_output", true);
        if (model.finishReason()) {
            g.writeBooleanField("return_finish_reason", true);
        }
        if (model.inputCount()) {
            g.writeBooleanField("return_num_input_tokens", true);
        }
        g.writeNumberField(model.family().prefix() + "max_tokens", request.maxTokens());
        if (request.seed().isPresent()) {
            g.writeNumberField(model.seedName(), request.seed().getAsLong());
        }
        TaskRequest.Sampling sampling = request.sampling();
        writePicking(g, model.family().prefix(), sampling);
        if (!isOff(sampling.repeatPenalty())) {
            g.writeNumberField("repetition_penalty", sampling.repeatPenalty());
        }
        JsonBody.texts(g, llmApi ? "sampling_param_stop" : "stop_words", sampling.stop());
        String schema = sampling.jsonSchema();
        if (schema != null) {
            g.writeStringField("guided_decoding_guide_type", "json_schema");
            JsonBody.text(g, "guided_decoding_guide", schema);
        }
    }

    private static void writePicking(JsonGenerator g, String prefix, TaskRequest.Sampling sampling) throws IOException {
        if (sampling.temperature() == 0 || sampling.topP() == 0) {
            g.writeNumberField(prefix + "top_k", 1);
            return;
        }
        JsonBody.number(g, prefix + "temperature", sampling.temperature());
        JsonBody.number(g, prefix + "top_p", sampling.topP());
        if (sampling.topK() >= 0) {
            g.writeNumberField(prefix + "top_k", sampling.topK());
        }
    }
}
