package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** What a task computes. */
public enum Workload {
    /** Text from a prompt. */
    COMPLETION("completion"),
    /** One vector an input. */
    EMBEDDING("embedding"),
    /** One score for each input after the first, which is the query. */
    RERANK("rerank");

    private static final Workload[] VALUES = values();

    private final String wireName;

    Workload(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable Workload fromWire(String name) {
        for (Workload value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
