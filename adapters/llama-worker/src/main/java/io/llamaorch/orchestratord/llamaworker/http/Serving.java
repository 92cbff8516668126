package io.llamaorch.orchestratord.llamaworker.http;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.engine.DecodeLoop;

/**
 * What is served once the model is loaded.
 *
 * @param model the model
 * @param loop what decodes it
 * @param modelPath its file, as it was given
 * @param build version of the worker and of llama.cpp
 */
public record Serving(LlamaModel model, DecodeLoop loop, String modelPath, String build) {

    /** Name of the model: its file's. */
    String modelName() {
        return modelPath.substring(modelPath.lastIndexOf('/') + 1);
    }
}
