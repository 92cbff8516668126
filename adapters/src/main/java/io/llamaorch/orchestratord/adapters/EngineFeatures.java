package io.llamaorch.orchestratord.adapters;

import java.util.Set;

/**
 * What an engine can do beyond plain text, as {@code GET /v1/capabilities} shows it.
 *
 * @param seed whether a seed reaches its sampler
 * @param sampling members of {@code sampling} that reach the engine; a request with another one is refused
 * @param strictDeterminism whether the same request gives the same bytes whatever else the engine does
 * @param determinism one sentence: what holds, and what does not
 */
public record EngineFeatures(
        boolean seed, Set<SamplingMember> sampling, boolean strictDeterminism, String determinism) {

    /** Copies the set. */
    public EngineFeatures {
        sampling = Set.copyOf(sampling);
    }

    /** Whether {@code sampling.grammar} is obeyed. */
    public boolean grammar() {
        return sampling.contains(SamplingMember.GRAMMAR);
    }

    /** Whether {@code sampling.json_schema} is obeyed. */
    public boolean jsonSchema() {
        return sampling.contains(SamplingMember.JSON_SCHEMA);
    }
}
