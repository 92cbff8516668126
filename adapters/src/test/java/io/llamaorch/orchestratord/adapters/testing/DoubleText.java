package io.llamaorch.orchestratord.adapters.testing;

/** What the double says: token {@code i} is a pure function of (prompt, seed, i). Given as the inside of a JSON string. */
public final class DoubleText {
    private static final String[] WORDS = {
        " the",
        " of",
        " llama",
        " tokens",
        " run",
        "ing",
        " é",
        " 中文",
        " 🙂",
        "\\n",
        " \\\"quoted\\\"",
        " \\u00e9",
        ",",
        ".",
        " long",
        " way"
    };

    private DoubleText() {}

    /** Token {@code i} of the answer to {@code prompt}. */
    public static String token(String prompt, long seed, int i) {
        long h = prompt.hashCode() * 0x9e3779b97f4a7c15L + seed * 0xbf58476d1ce4e5b9L + i;
        h = (h ^ (h >>> 29)) * 0x94d049bb133111ebL;
        h ^= h >>> 32;
        return WORDS[(int) Long.remainderUnsigned(h, WORDS.length)];
    }

    /** Tokens {@code [0, count)} together. */
    public static String text(String prompt, long seed, int count) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < count; i++) {
            out.append(token(prompt, seed, i));
        }
        return out.toString();
    }

    /** What {@link #text} means, without escapes. */
    public static String plainText(String prompt, long seed, int count) {
        return plain(text(prompt, seed, count));
    }

    /** What the inside of a JSON string means. */
    public static String plain(String inside) {
        try {
            return DoubleJson.unescape(inside);
        } catch (java.io.IOException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
