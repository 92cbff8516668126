package io.llamaorch.orchestratord.adapters;

import io.llamaorch.orchestratord.contracts.task.TaskRequest;

/** The members of {@code sampling} that not every engine takes. */
public enum SamplingMember {
    /** {@code temperature}. */
    TEMPERATURE("temperature"),
    /** {@code top_p}. */
    TOP_P("top_p"),
    /** {@code top_k}. */
    TOP_K("top_k"),
    /** {@code min_p}. */
    MIN_P("min_p"),
    /** {@code repeat_penalty}. */
    REPEAT_PENALTY("repeat_penalty"),
    /** {@code stop}. */
    STOP("stop"),
    /** {@code grammar}. */
    GRAMMAR("grammar"),
    /** {@code json_schema}. */
    JSON_SCHEMA("json_schema");

    private final String wireName;

    SamplingMember(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire. */
    public String wireName() {
        return wireName;
    }

    /** Whether {@code sampling} gives this member. */
    public boolean isGiven(TaskRequest.Sampling sampling) {
        return switch (this) {
            case TEMPERATURE -> !Double.isNaN(sampling.temperature());
            case TOP_P -> !Double.isNaN(sampling.topP());
            case TOP_K -> sampling.topK() >= 0;
            case MIN_P -> !Double.isNaN(sampling.minP());
            case REPEAT_PENALTY -> !Double.isNaN(sampling.repeatPenalty());
            case STOP -> !sampling.stop().isEmpty();
            case GRAMMAR -> sampling.grammar() != null;
            case JSON_SCHEMA -> sampling.jsonSchema() != null;
        };
    }
}
