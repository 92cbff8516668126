/**
 * vLLM's OpenAI server: {@code /v1/completions} streamed, {@code /v1/embeddings}, {@code /rerank}; {@code /health},
 * {@code /v1/models}, {@code /version} and {@code /metrics}. Frames and errors are those of {@code adapters.openai}.
 *
 * <p><b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters}, {@code adapters.openai},
 * {@code adapters.wire}, {@code contracts}, Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.vllm;

import org.jspecify.annotations.NullMarked;
