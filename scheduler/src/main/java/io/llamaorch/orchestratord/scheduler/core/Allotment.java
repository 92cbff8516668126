package io.llamaorch.orchestratord.scheduler.core;

/**
 * How much of one kind a budget holds, and how often that much again.
 *
 * @param limit in the unit of its kind, 1 … {@value #LIMIT_MAX}
 * @param per the window after which what was used no longer counts
 */
public record Allotment(long limit, Period per) {
    /** Sums of limits, reservations and what is used stay below {@link Long#MAX_VALUE} by this. */
    public static final long LIMIT_MAX = 4_000_000_000_000_000_000L;

    /** How long what was used counts. */
    public enum Period {
        /** For ever. */
        TOTAL(0),
        /** An hour from the first reservation on. */
        HOUR(3_600_000_000_000L),
        /** A day from the first reservation on. */
        DAY(86_400_000_000_000L);

        private final long ns;

        Period(long ns) {
            this.ns = ns;
        }

        /** Length of the window, ns; 0 for ever. */
        public long ns() {
            return ns;
        }
    }

    public Allotment {
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new IllegalArgumentException("a budget of " + limit + " is not from 1 to " + LIMIT_MAX);
        }
    }
}
