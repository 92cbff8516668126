package io.llamaorch.orchestratord.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configured keys. A presented key is hashed and compared in constant time with every configured digest, found or
 * not.
 *
 * <p>With no key configured, peers on this host are {@code localhost} and all others are refused. Immutable: a reload
 * makes another one.
 */
public final class ApiKeys {
    /** Longest key that is looked at, characters; a longer one is wrong without being hashed. */
    public static final int KEY_CHARS_MAX = 512;

    /**
     * One configured key.
     *
     * @param name what logs call it
     * @param sha256Hex hex of the SHA-256 of the key, 64 digits
     * @param scopes bits of {@link Scope}, or {@link Identity#ALL_SCOPES}
     */
    public record Key(String name, String sha256Hex, int scopes) {
        public Key(String name, String sha256Hex) {
            this(name, sha256Hex, Identity.ALL_SCOPES);
        }

        /** Without the digest: it stays out of logs. */
        @Override
        public String toString() {
            return "Key[" + name + "]";
        }
    }

    /** What came of {@link #authenticate}. */
    public enum Outcome {
        /** {@link Result#identity()} asks and may. */
        GRANTED,
        /** No key was given: 401. */
        MISSING,
        /** A key that is not known, or a peer that needs one where none is configured: 403. */
        WRONG,
        /** The key is known and lacks the scope: 403. */
        OUT_OF_SCOPE
    }

    /**
     * Whether a request may go on, and as whom.
     *
     * @param outcome whether the request may go on
     * @param identity who asks, where granted, else {@link Identity#ANONYMOUS}
     */
    public record Result(Outcome outcome, Identity identity) {
        private static final Result MISSING = new Result(Outcome.MISSING, Identity.ANONYMOUS);
        private static final Result WRONG = new Result(Outcome.WRONG, Identity.ANONYMOUS);
        private static final Result OUT_OF_SCOPE = new Result(Outcome.OUT_OF_SCOPE, Identity.ANONYMOUS);
        private static final Result ANYBODY = new Result(Outcome.GRANTED, Identity.ANONYMOUS);
        private static final Result LOCALHOST = new Result(Outcome.GRANTED, Identity.LOCALHOST);
    }

    private static final String BEARER = "Bearer ";

    private final byte[][] digests;
    private final Result[] granted;
    private final boolean loopbackBypass;

    /**
     * @param keys may be empty: loopback peers only
     * @param loopbackBypass whether a peer on this host needs no key even where keys are configured
     * @throws IllegalArgumentException for a digest that is not 64 hex digits
     */
    public ApiKeys(List<Key> keys, boolean loopbackBypass) {
        List<byte[]> parsed = new ArrayList<>();
        List<Result> results = new ArrayList<>();
        for (Key key : keys) {
            if (key.sha256Hex().length() != 64) {
                throw new IllegalArgumentException("the sha256 of key " + key.name() + " has not 64 hex digits");
            }
            parsed.add(HexFormat.of().parseHex(key.sha256Hex()));
            results.add(new Result(
                    Outcome.GRANTED, new Identity(Identity.ofKey(key.name()), key.scopes() | Scope.NONE.bit())));
        }
        digests = parsed.toArray(new byte[0][]);
        granted = results.toArray(new Result[0]);
        this.loopbackBypass = loopbackBypass;
    }

    /** No key: peers on this host only. */
    public static ApiKeys none() {
        return new ApiKeys(List.of(), false);
    }

    /**
     * Who asks, and whether they may.
     *
     * @param apiKey value of {@code X-API-Key}, or null; it counts where both are there: the caller has compared them
     * @param authorization value of {@code Authorization}, or null; other schemes than Bearer count as no key
     * @param loopbackPeer whether the peer's address is of this host
     * @param needed what the route asks for
     */
    public Result authenticate(
            @Nullable String apiKey, @Nullable String authorization, boolean loopbackPeer, Scope needed) {
        if (needed == Scope.NONE) {
            return Result.ANYBODY;
        }
        if (digests.length == 0) {
            return loopbackPeer ? Result.LOCALHOST : Result.WRONG;
        }
        String key = apiKey != null ? apiKey : bearer(authorization);
        if (key == null || key.isEmpty()) {
            return loopbackBypass && loopbackPeer ? Result.LOCALHOST : Result.MISSING;
        }
        Result found = find(key);
        if (found == null) {
            return Result.WRONG;
        }
        return found.identity().may(needed) ? found : Result.OUT_OF_SCOPE;
    }

    private @Nullable Result find(String key) {
        if (key.length() > KEY_CHARS_MAX) {
            return null;
        }
        byte[] digest = sha256().digest(latin1(key));
        int found = -1;
        for (int i = 0; i < digests.length; i++) {
            found = MessageDigest.isEqual(digests[i], digest) ? i : found;
        }
        return found < 0 ? null : granted[found];
    }

    /** Header values come from the wire one char an octet, so this gives the octets back. */
    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The key in an {@code Authorization} value, or null where it is of another scheme or absent. */
    public static @Nullable String bearer(@Nullable String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return null;
        }
        return authorization.substring(BEARER.length()).strip();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
