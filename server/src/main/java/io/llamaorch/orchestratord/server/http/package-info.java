/**
 * The HTTP/1 front: strict framing on raw bytes, one request at a time, routes, answers.
 *
 * <pre>
 *   socket ─▶ RequestGate ─▶ HttpRequestDecoder ─▶ HttpConnection ─▶ Router ─▶ RouteHandler
 *               │ framing, limits, timeouts           │ auth, body      │
 *               ◀──────────── responseDone ───────────┘ ◀── Exchange ───┘  (Responses writes the bytes)
 * </pre>
 *
 * <p><b>Owner thread:</b> the channel's event loop, for every mutable object here. Nothing blocks.
 *
 * <p><b>May import:</b> {@code contracts}, {@code server.auth}, {@code server.json}, Netty, log4j-api.
 */
@NullMarked
package io.llamaorch.orchestratord.server.http;

import org.jspecify.annotations.NullMarked;
