package io.llamaorch.orchestratord.adapters.wire;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What engines say of themselves, made fit for answers, logs and labels: bounded, on one line, never a prompt. */
public final class EngineWords {
    /** Longest engine message passed on, characters. */
    public static final int MESSAGE_MAX = 200;
    /** A run of the prompt this long within a message makes it an echo, characters. */
    static final int ECHO_WINDOW = 12;

    private static final int ECHO_SHORTEST = 4;

    private EngineWords() {}

    /** {@code message} bounded, without control characters. */
    public static String presentable(String message) {
        return presentable(message, List.of());
    }

    /** {@code message} bounded, without control characters; empty where it repeats part of the prompt. */
    public static String presentable(String message, @Nullable String prompt) {
        return presentable(message, prompt == null ? List.of() : List.of(prompt));
    }

    /** {@code message} bounded, without control characters; empty where it repeats part of one of {@code secrets}. */
    public static String presentable(String message, Collection<String> secrets) {
        StringBuilder out = new StringBuilder(Math.min(message.length(), MESSAGE_MAX));
        for (int i = 0; i < message.length() && out.length() < MESSAGE_MAX; i++) {
            char c = message.charAt(i);
            if (Character.isISOControl(c) || Character.isSurrogate(c) || c == '\u2028' || c == '\u2029') {
                c = ' ';
            }
            out.append(c);
        }
        String bounded = out.toString().strip();
        for (String secret : secrets) {
            if (echoes(bounded, secret)) {
                return "";
            }
        }
        return bounded;
    }

    private static boolean echoes(String message, String secret) {
        String text = secret.strip();
        if (text.length() < ECHO_SHORTEST) {
            return false;
        }
        if (text.length() <= ECHO_WINDOW) {
            return message.contains(text);
        }
        for (int i = 0; i + ECHO_WINDOW <= message.length(); i++) {
            if (text.contains(message.substring(i, i + ECHO_WINDOW))) {
                return true;
            }
        }
        return false;
    }
}
