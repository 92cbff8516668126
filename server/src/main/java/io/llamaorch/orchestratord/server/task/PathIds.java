package io.llamaorch.orchestratord.server.task;

import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Ids of tasks and sessions in paths. */
final class PathIds {
    private static final int UUID_CHARS = 36;

    private PathIds() {}

    /** The UUID of canonical text, upper or lower case; null for anything else. */
    static @Nullable UUID uuid(String text) {
        if (text.length() != UUID_CHARS) {
            return null;
        }
        try {
            UUID id = UUID.fromString(text);
            return id.toString().equals(text.toLowerCase(Locale.ROOT)) ? id : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
