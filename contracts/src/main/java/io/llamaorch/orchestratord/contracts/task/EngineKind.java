package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** Which wire an engine speaks. */
public enum EngineKind {
    /** llama.cpp's {@code llama-server}, native API. */
    LLAMACPP("llamacpp"),
    /** vLLM's OpenAI server. */
    VLLM("vllm"),
    /** Hugging Face Text Generation Inference. */
    TGI("tgi"),
    /** Triton with TensorRT-LLM. */
    TRITON("triton"),
    /** Any OpenAI-compatible server. */
    OPENAI("openai"),
    /** The built-in deterministic engine: no GPU, for trials and tests. */
    MOCK("mock");

    private static final EngineKind[] VALUES = values();

    private final String wireName;

    EngineKind(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable EngineKind fromWire(String name) {
        for (EngineKind value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
