package io.llamaorch.orchestratord.adapters;

/**
 * How busy an engine says that it is, from its own gauges.
 *
 * @param running decodes under way, −1 where not said
 * @param queued requests that wait within the engine, −1 where not said
 * @param kvUsage part of its KV cache in use, 0 … 1, NaN where not said
 */
public record EngineLoad(int running, int queued, double kvUsage) {
    /** Nothing is known. */
    public static final EngineLoad UNKNOWN = new EngineLoad(-1, -1, Double.NaN);

    /** Clamps a KV figure that is out of range. */
    public EngineLoad {
        kvUsage = Math.clamp(kvUsage, 0.0, 1.0);
    }
}
