/**
 * The port between the daemon and an LLM engine. Behind it, one package an engine.
 *
 * <pre>
 *   server ── EngineAdapter.start(request, loop, sink) ──▶ engine connection (on that loop)
 *   server ◀── EngineSink.accepted, token*, batchEnd, output?, end | failed ── engine connection
 *   server ── EngineCall.abort() ──▶ the connection closes, the engine's slot is free again
 * </pre>
 *
 * <p>What an engine can do is asked of its adapter, never guessed from its kind: {@link EngineAdapter#workloads},
 * {@link EngineAdapter#features}, {@link EngineAdapter#unsupported}, {@link EngineAdapter#modelControl}.
 *
 * <p><b>Threads:</b> an adapter object is shared and immutable after construction; everything of one call (the call,
 * its sink, its connection) lives on the one event loop given to {@code start}. <b>May import:</b> {@code contracts},
 * Netty transport, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters;

import org.jspecify.annotations.NullMarked;
