package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** How far the same request must give the same bytes. */
public enum Determinism {
    /** Same engine version set, seed required. */
    STRICT("strict"),
    /** As far as the engine goes. */
    BEST_EFFORT("best_effort");

    private static final Determinism[] VALUES = values();

    private final String wireName;

    Determinism(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable Determinism fromWire(String name) {
        for (Determinism value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
