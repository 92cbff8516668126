package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import org.jspecify.annotations.Nullable;

/**
 * The good end of an engine call.
 *
 * @param usage what it took
 * @param output vectors or scores, null where the result was text
 */
record EngineResult(EngineUsage usage, @Nullable EngineOutput output) {}
