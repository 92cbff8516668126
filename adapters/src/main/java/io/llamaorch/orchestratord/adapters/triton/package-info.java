/**
 * Triton with TensorRT-LLM, by the generate extension: {@code POST /v2/models/{m}/generate_stream}, readiness and metadata
 * of the model, its repository, and the metrics port.
 *
 * <p>Facts: {@code contracts/specs/engines.md}. <b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters},
 * {@code adapters.wire}, {@code contracts}, Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.triton;

import org.jspecify.annotations.NullMarked;
