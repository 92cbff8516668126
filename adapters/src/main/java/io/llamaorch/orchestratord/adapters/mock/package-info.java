/**
 * The built-in engine: deterministic text at a chosen speed, no GPU, no network. For trials, demonstrations and tests.
 *
 * <p><b>Owner thread:</b> the call's loop. <b>May import:</b> {@code adapters}, {@code adapters.wire}, {@code contracts}, Netty.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.mock;

import org.jspecify.annotations.NullMarked;
