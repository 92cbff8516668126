package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** What the client expects of the engine's prefix cache. */
public enum KvHint {
    /** Reuse a cached prefix where there is one. */
    REUSE("reuse"),
    /** Compute the prompt anew. */
    COLD("cold");

    private static final KvHint[] VALUES = values();

    private final String wireName;

    KvHint(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable KvHint fromWire(String name) {
        for (KvHint value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
