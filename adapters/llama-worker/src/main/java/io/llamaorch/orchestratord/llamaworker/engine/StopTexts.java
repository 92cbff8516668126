package io.llamaorch.orchestratord.llamaworker.engine;

import java.util.List;

/**
 * Finds stop texts in a stream and withholds what may become one. One decode's; owned by the decode thread.
 *
 * <p>{@link #pending} grows at its end; {@link #release} takes from its start what can't be part of a stop text any more.
 */
final class StopTexts {
    private final List<String> stops;
    private final StringBuilder pending = new StringBuilder();
    private String met = "";

    StopTexts(List<String> stops) {
        this.stops = stops;
    }

    /** Text that was not handed on yet. */
    StringBuilder pending() {
        return pending;
    }

    /** The stop text that was met, empty while none was. */
    String met() {
        return met;
    }

    /** Takes what may be handed on. After a stop text was met: what came before it, and nothing ever again. */
    String release() {
        int first = -1;
        for (String stop : stops) {
            int at = pending.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
                met = stop;
            }
        }
        if (first >= 0) {
            String before = pending.substring(0, first);
            pending.setLength(0);
            return before;
        }
        int keep = longestBeginning();
        String ready = pending.substring(0, pending.length() - keep);
        pending.delete(0, ready.length());
        return ready;
    }

    /** Takes all: no more text comes. */
    String releaseAll() {
        String rest = pending.toString();
        pending.setLength(0);
        return rest;
    }

    /** Length of the longest end of {@link #pending} that begins a stop text. */
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stops) {
            int most = Math.min(stop.length() - 1, pending.length());
            for (int length = most; length > longest; length--) {
                if (endsWith(stop, length)) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private boolean endsWith(String stop, int length) {
        int from = pending.length() - length;
        for (int i = 0; i < length; i++) {
            if (pending.charAt(from + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
