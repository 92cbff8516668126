package io.llamaorch.orchestratord.scheduler.ring;

import org.jspecify.annotations.Nullable;

/** How the scheduler's thread waits for work: {@code scheduler.wait_strategy}. */
public enum WaitMode {
    /** Parks; next to no CPU while idle. */
    PARKING("parking"),
    /** Spins and yields: burns the core it is on, gives it up when asked. */
    YIELDING("yielding"),
    /** Spins: for hosts with a core to pin. */
    BUSY_SPIN("busy_spin");

    private static final WaitMode[] VALUES = values();

    private final String wireName;

    WaitMode(String wireName) {
        this.wireName = wireName;
    }

    /** The word in the configuration. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that word, or null. */
    public static @Nullable WaitMode fromWire(String name) {
        for (WaitMode value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
