package io.llamaorch.orchestratord.adapters.wire;

/** Text of a request as engines take it. */
public final class RequestText {
    private RequestText() {}

    /** {@code text} with each lone surrogate as U+FFFD: it has no UTF-8. */
    public static String paired(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            return replaceLone(text);
        }
        return text;
    }

    private static String replaceLone(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> out.appendCodePoint(c >= 0xd800 && c < 0xe000 ? 0xfffd : c));
        return out.toString();
    }
}
