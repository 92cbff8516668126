/**
 * Hugging Face Text Generation Inference, native API: {@code POST /generate_stream}, {@code GET /health}, {@code /info},
 * {@code /metrics}.
 *
 * <p>Facts: {@code contracts/specs/engines.md}. <b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters},
 * {@code adapters.wire}, {@code contracts}, Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.tgi;

import org.jspecify.annotations.NullMarked;
