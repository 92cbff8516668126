package io.llamaorch.orchestratord.server.artifact;

import org.jspecify.annotations.Nullable;

/** Entity tags in request headers (RFC 9110 §8.8.3, §13.1). */
final class EntityTags {
    private static final int TAGS_MAX = 64;

    private EntityTags() {}

    /** Whether {@code If-None-Match} names the tag, compared weakly, or is {@code *}. */
    static boolean names(@Nullable String header, String tag) {
        if (header == null) {
            return false;
        }
        if (header.strip().equals("*")) {
            return true;
        }
        for (String one : header.split(",", TAGS_MAX)) {
            String text = one.strip();
            if ((text.startsWith("W/") ? text.substring(2) : text).equals(tag)) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@code Range} holds under {@code If-Range}: absent, or the very tag. A date is never equal. */
    static boolean rangeHolds(@Nullable String ifRange, String tag) {
        return ifRange == null || ifRange.strip().equals(tag);
    }
}
