package io.llamaorch.orchestratord.bench.engine;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;

/**
 * The frames of a stream, made once: token frame {@code n} is the {@code n}-th of any stream, so that the bytes of
 * neighbours lie side by side and several tokens can leave with one write.
 *
 * <pre>
 *   7b CRLF  data: {"index":0,"content":" tok","tokens":[1],"stop":false,…}  LF LF  CRLF
 * </pre>
 *
 * <p>With stamps the content is {@code @} and 19 digits, the nanoTime of the write; {@link #stamp} puts them in. Read only
 * but for that buffer's copies: any thread.
 */
final class FrameTable {
    private static final int STAMP_DIGITS = 19;
    private static final String BLANK_STAMP = "@" + "0".repeat(STAMP_DIGITS);
    private static final int TOKENS_EVALUATED = 5;

    private final ByteBuf frames;
    private final int[] starts;
    private final int[] stamps;
    private final boolean stamped;

    /** @param tokensMax longest stream */
    FrameTable(int tokensMax, boolean stamped) {
        this.stamped = stamped;
        this.starts = new int[tokensMax + 1];
        this.stamps = new int[tokensMax];
        // Lives as long as the process, so it is not watched for leaks.
        ByteBuf built = new UnpooledByteBufAllocator(true, true).directBuffer(tokensMax * 160);
        for (int n = 0; n < tokensMax; n++) {
            starts[n] = built.writerIndex();
            String event = "data: {\"index\":0,\"content\":\"" + (stamped ? BLANK_STAMP : " tok") + "\",\"tokens\":["
                    + (1 + n % 1000) + "],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":" + (n + 1)
                    + ",\"tokens_evaluated\":" + TOKENS_EVALUATED + "}\n\n";
            String chunk = chunk(event);
            stamps[n] = chunk.indexOf('@') + 1;
            built.writeCharSequence(chunk, StandardCharsets.US_ASCII);
        }
        starts[tokensMax] = built.writerIndex();
        this.frames = Unpooled.unreleasableBuffer(built);
    }

    int tokensMax() {
        return stamps.length;
    }

    boolean stamped() {
        return stamped;
    }

    /** The bytes of token frames {@code [from, to)}: shared, not to be released in earnest. */
    ByteBuf slice(int from, int to) {
        return frames.slice(starts[from], starts[to] - starts[from]);
    }

    /** Puts the time into a copy of frame {@code n} that begins at {@code copy}'s reader index. */
    void stamp(ByteBuf copy, int n, long nowNs) {
        int at = copy.readerIndex() + stamps[n];
        long rest = nowNs;
        for (int digit = STAMP_DIGITS - 1; digit >= 0; digit--) {
            copy.setByte(at + digit, '0' + (int) (rest % 10));
            rest /= 10;
        }
    }

    /** The frame that ends a stream, and the end of its body. */
    static String last(int tokens) {
        return chunk("data: {\"index\":0,\"content\":\"\",\"tokens\":[],\"id_slot\":-1,\"stop\":true,"
                        + "\"model\":\"simulator\",\"tokens_predicted\":" + tokens
                        + ",\"tokens_evaluated\":" + TOKENS_EVALUATED
                        + ",\"generation_settings\":{\"n_predict\":" + tokens
                        + "},\"prompt\":\"\",\"has_new_line\":false,"
                        + "\"truncated\":false,\"stop_type\":\"limit\",\"stopping_word\":\"\",\"tokens_cached\":"
                        + (tokens + TOKENS_EVALUATED)
                        + ",\"timings\":{\"prompt_n\":" + TOKENS_EVALUATED
                        + ",\"prompt_ms\":1.0,\"predicted_n\":" + tokens + ",\"predicted_ms\":1.0}}\n\n")
                + "0\r\n\r\n";
    }

    private static String chunk(String event) {
        return Integer.toHexString(event.length()) + "\r\n" + event + "\r\n";
    }
}
