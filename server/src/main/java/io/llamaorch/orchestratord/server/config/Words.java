package io.llamaorch.orchestratord.server.config;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** How values are written: sizes with units, and the key that was probably meant. */
final class Words {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB"};
    private static final int WORD_MAX = 64;

    private Words() {}

    /** Bytes of {@code 65536}, {@code 64KiB}, {@code 1MiB}, {@code 2GiB} or {@code 512B}; empty for anything else. */
    static OptionalLong parseBytes(String text) {
        String digits = text;
        int shift = 0;
        for (int i = UNITS.length - 1; i >= 0; i--) {
            if (text.endsWith(UNITS[i])) {
                digits = text.substring(0, text.length() - UNITS[i].length());
                shift = 10 * i;
                break;
            }
        }
        OptionalLong number = parseLong(digits.strip());
        if (number.isEmpty() || number.getAsLong() > Long.MAX_VALUE >> shift || number.getAsLong() < 0) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(number.getAsLong() << shift);
    }

    /** A decimal number without signs but {@code -}; underscores, hexadecimal and fractions are not numbers here. */
    static OptionalLong parseLong(String text) {
        int start = text.startsWith("-") ? 1 : 0;
        if (text.length() == start || text.length() > 19) {
            return OptionalLong.empty();
        }
        for (int i = start; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return OptionalLong.empty();
            }
        }
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** The size in its largest whole unit, such as {@code 64KiB}. */
    static String formatBytes(long bytes) {
        int unit = 0;
        long rest = bytes;
        while (unit < UNITS.length - 1 && rest != 0 && rest % 1024 == 0) {
            rest /= 1024;
            unit++;
        }
        return unit == 0 ? Long.toString(bytes) : rest + UNITS[unit];
    }

    /** The word nearest to {@code wrong}, or null where none is near. */
    static @Nullable String nearest(String wrong, Collection<String> words) {
        if (wrong.length() > WORD_MAX) {
            return null;
        }
        String lower = wrong.toLowerCase(Locale.ROOT).replace('-', '_');
        String best = null;
        int bestDistance = Math.max(1, wrong.length() / 3) + 1;
        for (String word : words) {
            int distance = distance(lower, word.toLowerCase(Locale.ROOT));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = word;
            }
        }
        return best;
    }

    /** {@code , did you mean "x"?} or the words to choose from. */
    static String hint(String wrong, Collection<String> words) {
        String near = nearest(wrong, words);
        return near == null ? "; known here: " + String.join(", ", words) : "; did you mean \"" + near + "\"?";
    }

    /** A value quoted for a message: at most 60 characters, control characters as {@code ?}. */
    static String quote(String value) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < Math.min(value.length(), 60); i++) {
            char c = value.charAt(i);
            out.append(Character.isISOControl(c) ? '?' : c);
        }
        return out.append(value.length() > 60 ? "…\"" : "\"").toString();
    }

    /** Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
    private static int distance(String a, String b) {
        int[][] rows = new int[a.length() + 1][b.length() + 1];
        for (int[] row : rows) {
            Arrays.fill(row, 0);
        }
        for (int i = 0; i <= a.length(); i++) {
            rows[i][0] = i;
        }
        for (int j = 0; j <= b.length(); j++) {
            rows[0][j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                int least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1);
                least = Math.min(least, rows[i - 1][j - 1] + change);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                rows[i][j] = swapped ? Math.min(least, rows[i - 2][j - 2] + 1) : least;
            }
        }
        return rows[a.length()][b.length()];
    }
}
