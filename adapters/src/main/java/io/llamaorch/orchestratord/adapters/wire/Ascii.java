package io.llamaorch.orchestratord.adapters.wire;

/** Comparing bytes of a head line with words. Words are given in lower case. */
final class Ascii {
    private Ascii() {}

    /** Whether {@code b[from, to)} is {@code word}, letters of either case. */
    static boolean equalsIgnoreCase(byte[] b, int from, int to, String word) {
        if (to - from != word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            int c = b[from + i];
            if (c >= 'A' && c <= 'Z') {
                c += 'a' - 'A';
            }
            if (c != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether the comma-separated list in {@code b[from, to)} has the member {@code word}. */
    static boolean hasListMember(byte[] b, int from, int to, String word) {
        int start = from;
        for (int i = from; i <= to; i++) {
            if (i == to || b[i] == ',') {
                int end = i;
                while (start < end && (b[start] == ' ' || b[start] == '\t')) {
                    start++;
                }
                while (end > start && (b[end - 1] == ' ' || b[end - 1] == '\t')) {
                    end--;
                }
                if (equalsIgnoreCase(b, start, end, word)) {
                    return true;
                }
                start = i + 1;
            }
        }
        return false;
    }
}
