package io.llamaorch.orchestratord.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** UUIDs of version 4 from a seed, written as text without an object each. <b>Owner thread:</b> the loop. */
final class RandomIds {
    /** Bytes of a UUID's text. */
    static final int LENGTH = 36;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final long VERSION_MASK = 0xffffffffffff0fffL;
    private static final long VERSION_4 = 0x4000L;
    private static final long VARIANT_MASK = 0x3fffffffffffffffL;
    private static final long VARIANT_RFC_9562 = 0x8000000000000000L;

    private final SplittableRandom random;

    RandomIds(long seed) {
        random = new SplittableRandom(seed);
    }

    /** Writes the next one to {@code target[at, at + LENGTH)}. */
    void next(byte[] target, int at) {
        long high = (random.nextLong() & VERSION_MASK) | VERSION_4;
        long low = (random.nextLong() & VARIANT_MASK) | VARIANT_RFC_9562;
        int to = at;
        for (int digit = 0; digit < 32; digit++) {
            if (digit == 8 || digit == 12 || digit == 16 || digit == 20) {
                target[to++] = '-';
            }
            long half = digit < 16 ? high : low;
            target[to++] = HEX[(int) (half >>> (60 - 4 * (digit & 15))) & 15];
        }
    }
}
