package io.llamaorch.orchestratord.server.artifact;

import org.jspecify.annotations.Nullable;

/**
 * The part of a body that {@code Range} asks for (RFC 9110 §14): {@code [from, to)}.
 *
 * @param from first byte
 * @param to behind the last byte
 * @param kind what is to be answered
 */
record ByteRange(long from, long to, Kind kind) {
    /** What is to be answered. */
    enum Kind {
        /** 200: no range, or one that is not served and may be ignored. */
        WHOLE,
        /** 206. */
        PART,
        /** 416. */
        UNSATISFIABLE
    }

    private static final String UNIT = "bytes=";
    private static final int DIGITS_MAX = 18;

    /**
     * Reads a header's value.
     *
     * @param header null where it is absent
     * @param length of the whole body, bytes
     */
    static ByteRange of(@Nullable String header, long length) {
        ByteRange whole = new ByteRange(0, length, Kind.WHOLE);
        if (header == null || !header.regionMatches(true, 0, UNIT, 0, UNIT.length())) {
            return whole;
        }
        String spec = header.substring(UNIT.length()).strip();
        int dash = spec.indexOf('-');
        if (dash < 0) {
            return whole;
        }
        String first = spec.substring(0, dash);
        String last = spec.substring(dash + 1);
        if (!digits(first) || !digits(last) || (first.isEmpty() && last.isEmpty())) {
            return whole; // several ranges end here, too: a comma is no digit
        }
        if (first.isEmpty()) {
            long count = Math.min(Long.parseLong(last), length);
            return part(length - count, length, length);
        }
        long from = Long.parseLong(first);
        long to = last.isEmpty() ? length : Long.parseLong(last) + 1;
        return to <= from && !last.isEmpty() ? whole : part(from, Math.min(to, length), length);
    }

    private static ByteRange part(long from, long to, long length) {
        return from >= length || from >= to
                ? new ByteRange(0, 0, Kind.UNSATISFIABLE)
                : new ByteRange(from, to, Kind.PART);
    }

    private static boolean digits(String text) {
        return text.length() <= DIGITS_MAX && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
