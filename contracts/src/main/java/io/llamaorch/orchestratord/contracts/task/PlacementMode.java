package io.llamaorch.orchestratord.contracts.task;

import org.jspecify.annotations.Nullable;

/** How strictly a request names its pool. */
public enum PlacementMode {
    /** The scheduler picks. */
    AUTO("auto"),
    /** The named pools first. */
    PREFER("prefer"),
    /** The named pool, or a refusal. */
    PIN("pin");

    private static final PlacementMode[] VALUES = values();

    private final String wireName;

    PlacementMode(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire, in metrics and in logs. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable PlacementMode fromWire(String name) {
        for (PlacementMode value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
