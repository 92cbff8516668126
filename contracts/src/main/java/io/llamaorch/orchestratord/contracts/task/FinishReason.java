package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** Why a decode ended. */
public enum FinishReason {
    /** End of text, or a stop string. */
    STOP("stop"),
    /** {@code max_tokens} or the context is used up. */
    LENGTH("length"),
    /** A cancel or a client that left. */
    CANCELED("canceled");

    private static final FinishReason[] VALUES = values();

    private final String wireName;

    FinishReason(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable FinishReason fromWire(String name) {
        for (FinishReason value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
