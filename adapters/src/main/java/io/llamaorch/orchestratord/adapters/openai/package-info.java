/**
 * Servers that speak OpenAI's completions, by what they have in common: SGLang, Ollama, LM Studio and others; and what
 * {@code vllm} shares with them.
 *
 * <pre>
 *   OpenAiAdapter ─ OpenAiRequest (bodies) ─▶ wire.StreamCall, wire.OutputCall
 *   wire.StreamCall ─ frames ─▶ OpenAiReader;  OpenAiScanner: in place;  OpenAiFrame: the slow path;  OpenAiErrors: taxonomy
 *   OpenAiProbe: /v1/models, and /metrics where it is SGLang's
 * </pre>
 *
 * <p><b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters}, {@code adapters.wire}, {@code contracts},
 * Netty, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.openai;

import org.jspecify.annotations.NullMarked;
