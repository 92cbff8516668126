package io.llamaorch.orchestratord.server.http;

import java.nio.charset.StandardCharsets;

/** Which octets may stand where: the character classes of RFC 9110 §5.6 and RFC 9112 §3. */
final class HttpBytes {
    /** {@code tchar}: methods and field names. */
    static final boolean[] TOKEN = table("!#$%&'*+-.^_`|~", true);

    /** A request target: the characters of RFC 3986, no fragment. */
    static final boolean[] TARGET = table("-._~:/?[]@!$&'()*+,;=%", true);

    /** {@code uri-host [":" port]} by its characters alone; user information is not part of it. */
    static final boolean[] AUTHORITY = table("-._~!$&'()*+,;=:[]%", true);

    /** Field content: HTAB, SP, visible ASCII and obs-text (opaque, RFC 9110 §5.5). */
    static final boolean[] VALUE = valueTable();

    /** Value of a hex digit, or −1. */
    static final byte[] HEX = hexTable();

    private HttpBytes() {}

    private static boolean[] table(String others, boolean alphanumeric) {
        boolean[] table = new boolean[256];
        for (int c = 0; c < 128; c++) {
            boolean word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            table[c] = (word && alphanumeric) || others.indexOf(c) >= 0;
        }
        return table;
    }

    private static boolean[] valueTable() {
        boolean[] table = new boolean[256];
        for (int c = 0; c < 256; c++) {
            table[c] = c == '\t' || (c >= ' ' && c != 127);
        }
        return table;
    }

    private static byte[] hexTable() {
        byte[] table = new byte[256];
        for (int c = 0; c < 256; c++) {
            table[c] = (byte) (c < 128 ? Character.digit(c, 16) : -1);
        }
        return table;
    }

    static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** Whether {@code bytes[from, to)} is {@code lower}, which has no capitals, in any case. */
    static boolean equalsIgnoreCase(byte[] bytes, int from, int to, String lower) {
        int length = lower.length();
        if (to - from != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            int c = bytes[from + i];
            if (c >= 'A' && c <= 'Z') {
                c += 32;
            }
            if (c != lower.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether every octet of {@code bytes[from, to)} is in the class. */
    static boolean all(boolean[] table, byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!table[bytes[i] & 0xff]) {
                return false;
            }
        }
        return true;
    }

    static String text(byte[] bytes, int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    /**
     * Whether the text is {@code uri-host [":" port]}: a name, an IPv4 address, or an IPv6 address in brackets, then
     * at most five digits.
     */
    static boolean isAuthority(byte[] bytes, int from, int to) {
        int i = from;
        if (i < to && bytes[i] == '[') {
            i++;
            int start = i;
            while (i < to && (HEX[bytes[i] & 0xff] >= 0 || bytes[i] == ':' || bytes[i] == '.')) {
                i++;
            }
            if (i == start || i == to || bytes[i] != ']') {
                return false;
            }
            i++;
        } else {
            while (i < to && bytes[i] != ':') {
                int c = bytes[i] & 0xff;
                if (!AUTHORITY[c] || c == '[' || c == ']') {
                    return false;
                }
                i++;
            }
            if (i == from) {
                return false;
            }
        }
        if (i == to) {
            return true;
        }
        if (bytes[i] != ':' || to - i > 6) {
            return false;
        }
        for (int digit = i + 1; digit < to; digit++) {
            if (bytes[digit] < '0' || bytes[digit] > '9') {
                return false;
            }
        }
        return true;
    }
}
