/**
 * The client side of the wires that engines speak: HTTP/1.1 responses, SSE, JSON strings, connections.
 *
 * <pre>
 *   socket ─▶ EngineConnection ─▶ HttpExchange, HttpResponseParser ─┬▶ StreamCall ─▶ SseDecoder ─▶ FrameScanner ─▶ EngineSink
 *                                                                   │     └ odd frames: FrameReader, FrameJson ─┘
 *                                                                   ├▶ OutputCall ─▶ OutputReader ─▶ EngineSink.output
 *                                                                   └▶ EngineInquiry: probes, orders to load a model
 * </pre>
 *
 * <p>An engine's package gives a {@code FrameScanner} (the common frame, in place), a {@code FrameReader} (all others, and
 * when the stream is complete), the bodies ({@code JsonBody}) and the codes of its errors ({@code EngineFault}); all else
 * is here.
 *
 * <p>Bytes are read where they lie: each stage hands the next one {@code (buffer, offset, length)}, and only what a read
 * cut in two is copied. A token on the common path costs no heap allocation.
 *
 * <p><b>Owner thread:</b> the event loop of the connection, for every mutable object here. <b>May import:</b>
 * {@code adapters}, {@code contracts}, Netty transport and its TLS handler, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.wire;

import org.jspecify.annotations.NullMarked;
