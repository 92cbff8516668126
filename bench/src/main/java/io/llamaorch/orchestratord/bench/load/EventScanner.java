package io.llamaorch.orchestratord.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds server-sent events in a body that may be cut anywhere, and what a load generator wants to know of each.
 *
 * <p>Lines end with LF or CR LF and have at most 64 KiB. An event has at most one {@code data} line: all three dialects
 * keep to that. A line that lies whole in what was read is looked at in place. The members that are searched for cannot
 * be imitated by text, because a quotation mark inside a JSON string is escaped. <b>Owner thread:</b> the loop.
 */
final class EventScanner {
    /** Told about each event when its empty line came. */
    interface Listener {
        /**
         * One event.
         *
         * @param id of the event, or -1
         * @param index {@code i} of a token in the daemon's dialect, else -1
         * @param stampNs when the engine wrote it, {@code System.nanoTime}; 0 when the text is no stamp
         */
        void onEvent(EventKind kind, long id, long index, long stampNs);
    }

    private static final int LINE_BYTES_MAX = 64 * 1024;
    private static final byte[] INDEX = ascii("\"i\":");
    private static final byte[] STAMP = ascii("@");
    private static final byte[] STOP_FALSE = ascii("\"stop\":false");
    private static final byte[] STOP_TRUE = ascii("\"stop\":true");
    private static final byte[] CONTENT = ascii("\"content\":\"");
    private static final byte[] DONE = ascii("[DONE]");
    private static final byte[] ERROR_MEMBER = ascii("\"error\":{");
    private static final byte[] TOKEN = ascii("token");
    private static final byte[] METRICS = ascii("metrics");
    private static final byte[] STARTED = ascii("started");
    private static final byte[] END = ascii("end");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] FIELD_DATA = ascii("data");
    private static final byte[] FIELD_EVENT = ascii("event");
    private static final byte[] FIELD_ID = ascii("id");
    private static final byte[] FIELD_RETRY = ascii("retry");

    private final Dialect dialect;
    private final boolean stamped;
    private final Listener listener;
    private final ResponseScanner.LineBuffer cut = new ResponseScanner.LineBuffer(LINE_BYTES_MAX);
    private EventKind kind = EventKind.OTHER;
    private boolean empty = true;
    private boolean named;
    private int dataLines;
    private long id = -1;
    private long index = -1;
    private long stampNs;

    /**
     * A scanner of one stream after the other.
     *
     * @param stamped whether to look for stamps: the first {@code @} of a data line stands before one
     */
    EventScanner(Dialect dialect, boolean stamped, Listener listener) {
        this.dialect = dialect;
        this.stamped = stamped;
        this.listener = listener;
    }

    /** Starts a new stream. */
    void reset() {
        cut.clear();
        clearEvent();
    }

    /** Takes the next bytes of the body, {@code bytes[from, to)}; false when a line passes the limit. */
    boolean scan(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to) {
            int newline = ResponseScanner.LineBuffer.indexOfNewline(bytes, at, to);
            if (newline < 0) {
                return cut.append(bytes, at, to);
            }
            if (cut.length() == 0) {
                boolean carriageReturn = newline > at && bytes[newline - 1] == '\r';
                line(bytes, at, carriageReturn ? newline - 1 : newline);
            } else {
                if (!cut.append(bytes, at, newline)) {
                    return false;
                }
                cut.dropCarriageReturn();
                line(cut.bytes(), 0, cut.length());
                cut.clear();
            }
            at = newline + 1;
        }
        return true;
    }

    private void line(byte[] bytes, int from, int to) {
        if (from == to) {
            if (!empty) {
                dispatch();
            }
            return;
        }
        int colon = from;
        while (colon < to && bytes[colon] != ':') {
            colon++;
        }
        if (colon == from) {
            return; // a comment
        }
        int value = colon < to ? colon + 1 : to;
        if (value < to && bytes[value] == ' ') {
            value++;
        }
        if (equal(bytes, from, colon, FIELD_DATA)) {
            empty = false;
            dataLines++;
            data(bytes, value, to);
        } else if (equal(bytes, from, colon, FIELD_EVENT)) {
            empty = false;
            named = true;
            name(bytes, value, to);
        } else if (equal(bytes, from, colon, FIELD_ID)) {
            empty = false;
            id = number(bytes, value, to, true);
        } else if (!equal(bytes, from, colon, FIELD_RETRY)) {
            empty = false;
            kind = EventKind.UNKNOWN;
        }
    }

    private void name(byte[] bytes, int from, int to) {
        if (equal(bytes, from, to, TOKEN)) {
            kind = EventKind.TOKEN;
        } else if (equal(bytes, from, to, METRICS)) {
            kind = EventKind.METRICS;
        } else if (equal(bytes, from, to, STARTED)) {
            kind = EventKind.STARTED;
        } else if (equal(bytes, from, to, END)) {
            kind = EventKind.END;
        } else if (equal(bytes, from, to, ERROR)) {
            kind = EventKind.ERROR;
        } else {
            kind = EventKind.UNKNOWN;
        }
    }

    private void data(byte[] bytes, int from, int to) {
        switch (dialect) {
            case DAEMON -> {
                int at = lastIndexOf(bytes, from, to, INDEX);
                index = at < 0 ? -1 : number(bytes, at + INDEX.length, to, false);
            }
            case LLAMACPP -> {
                if (indexOf(bytes, from, to, STOP_FALSE) >= 0) {
                    kind = EventKind.TOKEN;
                } else if (indexOf(bytes, from, to, STOP_TRUE) >= 0) {
                    kind = EventKind.END;
                } else {
                    kind = indexOf(bytes, from, to, ERROR_MEMBER) >= 0 ? EventKind.ERROR : EventKind.UNKNOWN;
                }
            }
            case OPENAI -> {
                if (equal(bytes, from, to, DONE)) {
                    kind = EventKind.END;
                } else if (indexOf(bytes, from, to, CONTENT) >= 0) {
                    kind = EventKind.TOKEN;
                } else {
                    kind = indexOf(bytes, from, to, ERROR_MEMBER) >= 0 ? EventKind.ERROR : EventKind.OTHER;
                }
            }
        }
        if (stamped) {
            int at = indexOf(bytes, from, to, STAMP);
            stampNs = at < 0 ? 0 : Math.max(0, number(bytes, at + STAMP.length, to, false));
        }
    }

    private void dispatch() {
        boolean wellFormed = dataLines == 1 && (dialect != Dialect.DAEMON || named);
        EventKind what = wellFormed ? kind : EventKind.UNKNOWN;
        long eventId = id;
        long tokenIndex = what == EventKind.TOKEN ? index : -1;
        long stamp = stampNs;
        clearEvent();
        listener.onEvent(what, eventId, tokenIndex, stamp);
    }

    private void clearEvent() {
        kind = EventKind.OTHER;
        empty = true;
        named = false;
        dataLines = 0;
        id = -1;
        index = -1;
        stampNs = 0;
    }

    /** The digits from {@code from} on; -1 when there are none, too many, or, if {@code whole}, anything after them. */
    private static long number(byte[] bytes, int from, int to, boolean whole) {
        long value = 0;
        int at = from;
        while (at < to && bytes[at] >= '0' && bytes[at] <= '9') {
            if (at - from == 19 || value > Long.MAX_VALUE / 10 - 1) {
                return -1;
            }
            value = value * 10 + bytes[at++] - '0';
        }
        return at == from || (whole && at != to) ? -1 : value;
    }

    private static boolean equal(byte[] bytes, int from, int to, byte[] other) {
        return Arrays.equals(bytes, from, to, other, 0, other.length);
    }

    private static int indexOf(byte[] bytes, int from, int to, byte[] wanted) {
        for (int at = from; at <= to - wanted.length; at++) {
            if (matches(bytes, at, wanted)) {
                return at;
            }
        }
        return -1;
    }

    private static int lastIndexOf(byte[] bytes, int from, int to, byte[] wanted) {
        for (int at = to - wanted.length; at >= from; at--) {
            if (matches(bytes, at, wanted)) {
                return at;
            }
        }
        return -1;
    }

    private static boolean matches(byte[] bytes, int at, byte[] wanted) {
        for (int i = 0; i < wanted.length; i++) {
            if (bytes[at + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
