package io.llamaorch.orchestratord.server.http;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.SplittableRandom;

/**
 * New correlation ids: random UUIDs (version 4), from two generators seeded with 128 secure bits. Unique, cheap, and
 * no secret: an id is a name, never a permission.
 *
 * <p>One per event loop; not shared.
 */
final class CorrelationIds {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final SecureRandom SEEDS = new SecureRandom();

    private final SplittableRandom high;
    private final SplittableRandom low;
    private final byte[] text = new byte[36];

    CorrelationIds() {
        this(SEEDS.nextLong(), SEEDS.nextLong());
    }

    CorrelationIds(long highSeed, long lowSeed) {
        high = new SplittableRandom(highSeed);
        low = new SplittableRandom(lowSeed);
    }

    @SuppressWarnings("deprecation") // bytes that are ASCII, straight into a compact string
    String next() {
        long h = (high.nextLong() & 0xffff_ffff_ffff_0fffL) | 0x4000L;
        long l = (low.nextLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
        hex(h >>> 32, 8, 0);
        text[8] = '-';
        hex(h >>> 16, 4, 9);
        text[13] = '-';
        hex(h, 4, 14);
        text[18] = '-';
        hex(l >>> 48, 4, 19);
        text[23] = '-';
        hex(l, 12, 24);
        return new String(text, 0, 0, 36);
    }

    private void hex(long bits, int digits, int at) {
        for (int i = digits - 1; i >= 0; i--) {
            text[at + i] = HEX[(int) (bits & 15)];
            bits >>>= 4;
        }
    }
}
