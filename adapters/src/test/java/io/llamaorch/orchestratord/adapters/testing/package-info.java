/**
 * Engine doubles that the tests and benches of several modules share: a llama-server of its own process.
 *
 * <p><b>Owner thread:</b> everything of a double lives on its one event loop.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.testing;

import org.jspecify.annotations.NullMarked;
