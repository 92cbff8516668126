package io.llamaorch.orchestratord.adapters;

/**
 * One request header that an engine asks for. Its value is a secret: {@link #toString} does not hold it.
 *
 * @param header name, such as {@code Authorization} or {@code X-Api-Key}
 * @param value the whole value, such as {@code Bearer …}
 */
public record EngineAuth(String header, String value) {
    private static final String TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

    /**
     * Refuses what would not be one header line.
     *
     * @throws IllegalArgumentException where the name is no token, or the value holds other than visible ASCII and
     *     spaces; the message does not hold the value
     */
    public EngineAuth {
        if (header.isEmpty() || !header.chars().allMatch(EngineAuth::isTokenChar)) {
            throw new IllegalArgumentException("not a header name: " + header);
        }
        if (value.isBlank() || !value.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
            throw new IllegalArgumentException("the value of " + header + " is empty or not plain ASCII");
        }
    }

    /** {@code Authorization: Bearer key}. */
    public static EngineAuth bearer(String key) {
        return new EngineAuth("Authorization", "Bearer " + key);
    }

    private static boolean isTokenChar(int c) {
        return (c >= '0' && c <= '9')
                || (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || TOKEN_PUNCTUATION.indexOf(c) >= 0;
    }

    @Override
    public String toString() {
        return header + ": (not shown)";
    }
}
