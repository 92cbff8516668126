/**
 * A stand-in for llama.cpp's server: the same wire, no model, a pace that is set.
 *
 * <p>Flow: {@code SimulatorConnection} parses a request, {@code Pacer} writes the stream's frames from {@code FrameTable}.
 *
 * <p><b>Owner thread:</b> the one event loop, for every mutable object here.
 *
 * <p><b>May import:</b> Netty's transport, picocli.
 */
@NullMarked
package io.llamaorch.orchestratord.bench.engine;

import org.jspecify.annotations.NullMarked;
