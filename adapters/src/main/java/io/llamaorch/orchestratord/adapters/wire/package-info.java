/**
 * The client side of the wires that engines speak: HTTP/1.1 responses, SSE, JSON strings, connections.
 *
 * <pre>
 *   socket ─▶ EngineConnection ─▶ HttpResponseParser ─▶ SseDecoder ─▶ an adapter's frames ─▶ JsonText ─▶ EngineSink
 * </pre>
 *
 * <p>Bytes are read where they lie: each stage hands the next one {@code (buffer, offset, length)}, and only what a read
 * cut in two is copied. A token on the common path costs no heap allocation.
 *
 * <p><b>Owner thread:</b> the event loop of the connection, for every mutable object here. <b>May import:</b>
 * {@code adapters}, {@code contracts}, Netty transport.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.wire;

import org.jspecify.annotations.NullMarked;
