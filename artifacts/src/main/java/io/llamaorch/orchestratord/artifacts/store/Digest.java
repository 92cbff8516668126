package io.llamaorch.orchestratord.artifacts.store;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A SHA-256.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record Digest(String hex) {
    private static final String PREFIX = "sha256:";
    private static final int DIGITS = 64;

    public Digest {
        if (!isHex(hex)) {
            throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal");
        }
    }

    /** The digest of what is left in a buffer; its position moves to its end. */
    public static Digest of(ByteBuffer bytes) {
        MessageDigest digest = sha256();
        digest.update(bytes);
        return of(digest);
    }

    static Digest of(MessageDigest digest) {
        return new Digest(HexFormat.of().formatHex(digest.digest()));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The digest of an id such as {@code sha256:9f86…}, or null where it is none: upper case is none. */
    public static @Nullable Digest parse(String id) {
        if (id.length() != PREFIX.length() + DIGITS || !id.startsWith(PREFIX)) {
            return null;
        }
        String hex = id.substring(PREFIX.length());
        return isHex(hex) ? new Digest(hex) : null;
    }

    /** The artifact's id. */
    public String id() {
        return PREFIX + hex;
    }

    /** The two digits by which files fan out. */
    String fan() {
        return hex.substring(0, 2);
    }

    static boolean isHex(String text) {
        if (text.length() != DIGITS) {
            return false;
        }
        for (int i = 0; i < DIGITS; i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }
}
