package io.llamaorch.orchestratord.llamaworker.schema;

import org.jspecify.annotations.Nullable;

/**
 * What is looked at in a grammar before llama.cpp's parser sees it, which recurses for each parenthesis and writes repeats
 * out: an ill-meant one would end the process.
 *
 * <table>
 *   <caption>Limits</caption>
 *   <tr><td>{@value #CHARS_MAX}</td><td>characters</td></tr>
 *   <tr><td>{@value #DEPTH_MAX}</td><td>parentheses open at once</td></tr>
 *   <tr><td>{@value #REPEAT_MAX}</td><td>the numbers of a repeat, and the sum of them all times ten</td></tr>
 * </table>
 */
public final class GrammarLimits {
    static final int CHARS_MAX = 256 << 10;
    static final int DEPTH_MAX = 64;
    static final int REPEAT_MAX = 1_000;
    private static final int REPEATS_MAX = 10 * REPEAT_MAX;

    private final String grammar;
    private int at;

    private GrammarLimits(String grammar) {
        this.grammar = grammar;
    }

    /** What is too much in {@code grammar}, null where nothing is. */
    public static @Nullable String problemOf(String grammar) {
        if (grammar.length() > CHARS_MAX) {
            return "a grammar of more than " + CHARS_MAX + " characters";
        }
        if (grammar.indexOf('\0') >= 0) {
            return "a grammar with a NUL in it";
        }
        return new GrammarLimits(grammar).problem();
    }

    private @Nullable String problem() {
        int depth = 0;
        long repeats = 0;
        while (at < grammar.length()) {
            switch (grammar.charAt(at++)) {
                case '"' -> skipTo('"');
                case '[' -> skipTo(']');
                case '#' -> skipLine();
                case '(' -> {
                    if (++depth > DEPTH_MAX) {
                        return "a grammar with more than " + DEPTH_MAX + " parentheses within each other";
                    }
                }
                case ')' -> depth--;
                case '{' -> {
                    long most = repeat();
                    repeats += most;
                    if (most > REPEAT_MAX || repeats > REPEATS_MAX) {
                        return "a grammar that repeats more than " + REPEAT_MAX + " times, or " + REPEATS_MAX
                                + " in all";
                    }
                }
                default -> {}
            }
        }
        return null;
    }

    private void skipTo(char end) {
        while (at < grammar.length() && grammar.charAt(at) != end) {
            at += grammar.charAt(at) == '\\' ? 2 : 1;
        }
        at++;
    }

    private void skipLine() {
        while (at < grammar.length() && grammar.charAt(at) != '\n') {
            at++;
        }
    }

    /** The largest number up to the closing brace. */
    private long repeat() {
        long largest = 0;
        long number = 0;
        while (at < grammar.length() && grammar.charAt(at) != '}') {
            int digit = Character.digit(grammar.charAt(at++), 10);
            number = digit < 0 ? 0 : Math.min(10 * number + digit, Integer.MAX_VALUE);
            largest = Math.max(largest, number);
        }
        return largest;
    }
}
