package io.llamaorch.orchestratord.server.json;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Strict UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF; and no NUL, which JSON never holds. */
final class Utf8 {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long HIGH_BITS = 0x8080_8080_8080_8080L;

    private Utf8() {}

    /** Index of the first byte that begins no valid sequence in {@code bytes[0, length)}, or −1. */
    static int firstInvalid(byte[] bytes, int length) {
        int i = 0;
        while (i < length) {
            if (length - i >= 8) {
                long eight = (long) LONG.get(bytes, i);
                if (((eight | (eight - ONES)) & HIGH_BITS) == 0) {
                    i += 8;
                    continue;
                }
            }
            int size = sequence(bytes, i, length);
            if (size == 0) {
                return i;
            }
            i += size;
        }
        return -1;
    }

    /** Bytes of the sequence at i, 0 where there is none. */
    private static int sequence(byte[] bytes, int i, int length) {
        int first = bytes[i] & 0xff;
        if (first < 0x80) {
            return first == 0 ? 0 : 1;
        }
        int size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
        if (size == 0 || i + size > length) {
            return 0;
        }
        int second = bytes[i + 1] & 0xff;
        int least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        int most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (second < least || second > most) {
            return 0;
        }
        for (int k = 2; k < size; k++) {
            if ((bytes[i + k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return size;
    }

    /** Whether every surrogate is one of a pair. */
    static boolean isWellFormed(String text) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || i + 1 == length || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }
}
