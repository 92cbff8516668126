/**
 * llama.cpp's {@code llama-server}, native API: {@code POST /completion} streamed, {@code GET /health}, {@code /props}.
 *
 * <pre>
 *   LlamaCppAdapter ─ LlamaRequest (body) ─▶ wire.EngineHttpClient
 *   LlamaCall ◀─ frames ─ wire.SseDecoder;  LlamaFrames: in place;  LlamaFrame: the slow path;  LlamaErrors: taxonomy
 * </pre>
 *
 * <p>Facts: {@code reference/engines.md} §1, run by hand against build b4748 of 2025-02.
 * <b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters}, {@code adapters.wire}, {@code contracts},
 * Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.llamacpp;

import org.jspecify.annotations.NullMarked;
