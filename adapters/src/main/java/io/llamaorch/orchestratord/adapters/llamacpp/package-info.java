/**
 * llama.cpp's {@code llama-server}, native API: {@code POST /completion} streamed; embeddings and rerank; a router's models.
 *
 * <pre>
 *   LlamaCppAdapter ─ LlamaRequest (bodies) ─▶ wire.StreamCall, wire.OutputCall
 *   wire.StreamCall ─ frames ─▶ LlamaReader;  LlamaScanner: in place;  LlamaFrame: the slow path;  LlamaErrors: taxonomy
 *   LlamaProbe: /health, /props, /slots, /metrics;  LlamaRouter: models of a router
 * </pre>
 *
 * <p>Facts: {@code reference/engines.md} §1, run by hand against build b4748 of 2025-02.
 * <b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters}, {@code adapters.openai} (bodies), {@code adapters.wire}, {@code contracts},
 * Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.llamacpp;

import org.jspecify.annotations.NullMarked;
