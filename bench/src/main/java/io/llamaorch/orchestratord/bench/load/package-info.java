/**
 * The load generator: many HTTP/1.1 connections on one event loop, which count token events and time them.
 *
 * <p>Flow: {@code ClientConnection -> ResponseScanner -> EventScanner -> StreamCheck}, figures into {@code Measurements}.
 * No object is made for a token.
 *
 * <p><b>Owner thread:</b> the one event loop, for every mutable object here.
 *
 * <p><b>May import:</b> Netty's transport, HdrHistogram, picocli, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.bench.load;

import org.jspecify.annotations.NullMarked;
