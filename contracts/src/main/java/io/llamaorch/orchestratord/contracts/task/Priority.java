package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** Who goes first within a pool. */
public enum Priority {
    /** Somebody waits for the first token. */
    INTERACTIVE("interactive"),
    /** Throughput work: waits behind interactive, but is never starved. */
    BATCH("batch");

    private static final Priority[] VALUES = values();

    private final String wireName;

    Priority(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable Priority fromWire(String name) {
        for (Priority value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
