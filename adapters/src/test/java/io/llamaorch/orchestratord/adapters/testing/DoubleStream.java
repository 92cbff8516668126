package io.llamaorch.orchestratord.adapters.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** One streamed completion of the double. Owned by the loop. */
@SuppressWarnings("FutureReturnValueIgnored")
public final class DoubleStream implements Runnable {
    private static final int BURST = 32;

    private final DoubleDialect dialect;
    private final DoubleState state;
    private final Channel channel;
    private final DoubleScript script;
    private final String prompt;
    private final long seed;
    private final int limit;
    private final int promptTokens;
    private int sent;
    private int splitAt;
    private boolean faulted;
    private boolean inSlot;
    private boolean over;
    private String heldText = "";

    DoubleStream(
            DoubleDialect dialect,
            DoubleState state,
            Channel channel,
            DoubleScript script,
            String prompt,
            long seed,
            int limit) {
        this.dialect = dialect;
        this.state = state;
        this.channel = channel;
        this.script = script;
        this.prompt = prompt;
        this.seed = seed;
        this.limit = limit;
        this.promptTokens = Math.max(1, prompt.length() / 4);
    }

    /** Tokens sent so far. */
    int sent() {
        return sent;
    }

    String prompt() {
        return prompt;
    }

    long seed() {
        return seed;
    }

    int limit() {
        return limit;
    }

    int promptTokens() {
        return promptTokens;
    }

    DoubleScript script() {
        return script;
    }

    /** Whether it ends before the limit. */
    boolean endedByItself() {
        return script.tokens >= 0 && script.tokens <= limit;
    }

    /** Text kept for the finish frame; once. */
    String takeHeldText() {
        String text = heldText;
        heldText = "";
        return text;
    }

    /** No token comes after this one; its text is kept for the finish frame. */
    void endWith(String text) {
        script.tokens = sent;
        heldText = text;
    }

    /** Status line and headers of a stream. */
    static byte[] head(String... headers) {
        return ("HTTP/1.1 200 OK\r\n" + String.join("\r\n", headers) + "\r\nTransfer-Encoding: chunked\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** It has a slot. */
    void begin() {
        inSlot = true;
        after(script.headMs, () -> {
            if (!over) {
                write(dialect.streamHead());
                after(script.firstMs, this);
            }
        });
    }

    /** Fails now, wherever it is. */
    void failNow(String kind) {
        if (!over) {
            state.faults++;
            fault(kind);
        }
    }

    /** The client went away. */
    void disconnected() {
        if (!over) {
            state.sawDisconnect();
            if (!inSlot) {
                state.deferred.remove(this);
            }
            release();
        }
    }

    /** Writes what is due, up to a burst. */
    @Override
    public void run() {
        int until = script.paceMs > 0 ? sent + script.batch : sent + Math.max(BURST, script.batch);
        while (!over && sent < until) {
            if (!channel.isWritable()) {
                channel.eventLoop().schedule(this, 1, TimeUnit.MILLISECONDS);
                return;
            }
            if (script.fault != null && !faulted && sent >= script.faultAt) {
                faulted = true;
                state.faults++;
                fault(script.fault);
                if (over || script.fault.equals("stall")) {
                    return;
                }
            }
            if (sent >= end()) {
                last();
                return;
            }
            StringBuilder chunk = new StringBuilder();
            for (int k = 0; k < script.batch && sent < end() && !faultDue(); k++) {
                frame(chunk);
            }
            if (chunk.length() > 0) {
                write(chunk(chunk.toString().getBytes(StandardCharsets.UTF_8)));
            }
        }
        if (!over) {
            after(script.paceMs, this);
        }
    }

    private boolean faultDue() {
        return faultPending() && sent >= script.faultAt;
    }

    private boolean faultPending() {
        return script.fault != null && !faulted;
    }

    private int end() {
        return script.tokens >= 0 ? Math.min(limit, script.tokens) : limit;
    }

    private void frame(StringBuilder out) {
        if (script.ping) {
            out.append(":\n\n");
        }
        if (script.emptyEvery > 0 && sent % script.emptyEvery == 0) {
            out.append(dialect.partial(this, ""));
        }
        StringBuilder tokens = new StringBuilder();
        int most = faultPending() ? Math.min(end(), script.faultAt) : end();
        do {
            tokens.append(DoubleText.token(prompt, seed, sent));
            sent++;
            state.tokens++;
        } while (sent < most && sent % script.chunk != 0);
        String text = tokens.toString();
        if (script.cutChars && text.endsWith("🙂")) {
            out.append(dialect.partial(this, text.substring(0, text.length() - 2) + "\\ud83d"))
                    .append(dialect.partial(this, "\\ude42"));
        } else if (script.lastText && sent == end() && !faultPending()) {
            heldText = text;
        } else {
            out.append(dialect.partial(this, text));
        }
    }

    private void last() {
        String last = dialect.last(this);
        if (!last.isEmpty()) {
            write(chunk(last.getBytes(StandardCharsets.UTF_8)));
        }
        state.completed++;
        if (script.hold) {
            release();
            return;
        }
        write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        release();
        close();
    }

    private void fault(String kind) {
        switch (kind) {
            case "close" -> {
                release();
                close();
            }
            case "rst" -> {
                release();
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
                channel.close();
            }
            case "stall" -> {}
            case "garbage" -> write(chunk("data: {broken json\n\n".getBytes(StandardCharsets.UTF_8)));
            case "badchunk" -> write("zz\r\n".getBytes(StandardCharsets.UTF_8));
            case "eof_no_terminal" -> {
                write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                release();
                close();
            }
            case "midutf8" -> {
                byte[] whole = dialect.partial(this, "\u4e2d").getBytes(StandardCharsets.UTF_8);
                int cut = new String(whole, StandardCharsets.ISO_8859_1).indexOf('\u00e4') + 1;
                byte[] head = (Integer.toHexString(whole.length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
                ByteBuf part = Unpooled.wrappedBuffer(head, java.util.Arrays.copyOf(whole, cut));
                byte[] bytes = new byte[part.readableBytes()];
                part.readBytes(bytes);
                part.release();
                write(bytes);
                release();
                close();
            }
            default -> {
                String frames = dialect.inBand(this, kind);
                if (frames == null) {
                    throw new IllegalArgumentException("no such fault: " + kind);
                }
                inBand(frames);
            }
        }
    }

    private void inBand(String frames) {
        write(chunk(frames.getBytes(StandardCharsets.UTF_8)));
        write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        release();
        close();
    }

    private void release() {
        over = true;
        if (inSlot) {
            inSlot = false;
            state.leave(this);
        }
    }

    private void close() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private static byte[] chunk(byte[] data) {
        byte[] head = (Integer.toHexString(data.length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] out = new byte[head.length + data.length + 2];
        System.arraycopy(head, 0, out, 0, head.length);
        System.arraycopy(data, 0, out, head.length, data.length);
        out[out.length - 2] = '\r';
        out[out.length - 1] = '\n';
        return out;
    }

    private void write(byte[] bytes) {
        if (script.split.length == 0) {
            channel.writeAndFlush(Unpooled.wrappedBuffer(bytes));
            return;
        }
        int at = 0;
        while (at < bytes.length) {
            int n = Math.min(bytes.length - at, Math.max(1, script.split[splitAt++ % script.split.length]));
            channel.writeAndFlush(Unpooled.copiedBuffer(bytes, at, n));
            at += n;
        }
    }

    private void after(double ms, Runnable task) {
        if (ms <= 0) {
            channel.eventLoop().execute(task);
        } else {
            channel.eventLoop().schedule(task, (long) (ms * 1e6), TimeUnit.NANOSECONDS);
        }
    }
}
