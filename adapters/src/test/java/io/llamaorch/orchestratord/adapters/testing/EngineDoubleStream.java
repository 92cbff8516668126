package io.llamaorch.orchestratord.adapters.testing;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** One streamed answer of a double, in chunks; what its frames look like is {@link Frames}'. Owned by the loop. */
@SuppressWarnings("FutureReturnValueIgnored")
final class EngineDoubleStream implements Runnable {
    private static final int BURST = 32;

    /** The frames of one stream, each with its {@code data:} and its empty line. */
    interface Frames {
        /** The head's lines after the status line, each with its CRLF. */
        String headers();

        /** The frames of token {@code i}, from 0; sets {@link EngineDoubleStream#finish} where it is the last one. */
        String token(EngineDoubleStream stream, int i);

        /** What comes before the zero chunk, perhaps nothing. */
        String last(EngineDoubleStream stream);

        /** The frame of an in-band fault; null where there is no such fault. */
        @org.jspecify.annotations.Nullable
        String fault(String kind);
    }

    final DoubleScript script;
    final Frames frames;
    private final DoubleState state;
    private final Channel channel;
    private final int end;
    private int sent;
    private int splitAt;
    private boolean faulted;
    private boolean finished;
    private boolean over;

    EngineDoubleStream(DoubleState state, Channel channel, DoubleScript script, Frames frames, int limit) {
        this.state = state;
        this.channel = channel;
        this.script = script;
        this.frames = frames;
        this.end = script.tokens >= 0 ? Math.min(limit, script.tokens) : limit;
    }

    /** Whether token {@code i} is the last that the limit or the script allows. */
    boolean isLast(int i) {
        return i + 1 >= end;
    }

    /** Whether it ends by itself, not by the limit. */
    boolean isEos() {
        return script.tokens >= 0 && script.tokens == end;
    }

    /** Tokens so far. */
    int sent() {
        return sent;
    }

    /** No token comes after this one. */
    void finish() {
        finished = true;
    }

    void begin() {
        state.running++;
        state.runningMax = Math.max(state.runningMax, state.running);
        after(script.headMs, () -> {
            if (!over) {
                String head = "HTTP/1.1 200 OK\r\n" + frames.headers() + "Transfer-Encoding: chunked\r\n\r\n";
                write(head.getBytes(StandardCharsets.US_ASCII));
                after(script.firstMs, this);
            }
        });
    }

    void disconnected() {
        if (!over) {
            state.sawDisconnect();
            release();
        }
    }

    @Override
    public void run() {
        int until = sent + (script.paceMs > 0 ? script.batch : Math.max(BURST, script.batch));
        while (!over && sent < until) {
            if (!channel.isWritable()) {
                channel.eventLoop().schedule(this, 1, TimeUnit.MILLISECONDS);
                return;
            }
            if (faultDue() && !finished) {
                faulted = true;
                state.faults++;
                fault(String.valueOf(script.fault));
                if (over || String.valueOf(script.fault).equals("stall")) {
                    return;
                }
            }
            if (finished || sent >= end) {
                complete();
                return;
            }
            StringBuilder chunk = new StringBuilder();
            for (int k = 0; k < script.batch && sent < end && !finished && !faultDue(); k++) {
                chunk.append(script.ping ? ":\n\n" : "").append(frames.token(this, sent));
                sent++;
                state.tokens++;
            }
            write(chunk(chunk.toString().getBytes(StandardCharsets.UTF_8)));
        }
        if (!over) {
            after(script.paceMs, this);
        }
    }

    private boolean faultDue() {
        return script.fault != null && !faulted && sent >= script.faultAt;
    }

    private void complete() {
        String last = frames.last(this);
        if (!last.isEmpty()) {
            write(chunk(last.getBytes(StandardCharsets.UTF_8)));
        }
        state.completed++;
        if (script.hold) {
            release();
            return;
        }
        endOfBody();
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
            case "eof_no_terminal" -> endOfBody();
            case "midutf8" -> {
                byte[] whole = chunk("data: {\"x\":\"\u4e2d\"}\n\n".getBytes(StandardCharsets.UTF_8));
                write(Arrays.copyOf(whole, whole.length - 8));
                release();
                close();
            }
            default -> {
                String frame = frames.fault(kind);
                if (frame == null) {
                    throw new IllegalArgumentException("no such fault: " + kind);
                }
                write(chunk(frame.getBytes(StandardCharsets.UTF_8)));
                endOfBody();
            }
        }
    }

    private void endOfBody() {
        write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        release();
        close();
    }

    private void release() {
        if (!over) {
            over = true;
            state.running--;
        }
    }

    private void close() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private static byte[] chunk(byte[] data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes((Integer.toHexString(data.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(data);
        out.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
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
