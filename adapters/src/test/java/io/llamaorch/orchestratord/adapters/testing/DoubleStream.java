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
final class DoubleStream implements Runnable {
    private static final int BURST = 32;

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

    DoubleStream(DoubleState state, Channel channel, DoubleScript script, String prompt, long seed, int limit) {
        this.state = state;
        this.channel = channel;
        this.script = script;
        this.prompt = prompt;
        this.seed = seed;
        this.limit = limit;
        this.promptTokens = Math.max(1, prompt.length() / 4);
    }

    /** It has a slot. */
    void begin() {
        inSlot = true;
        after(script.headMs, () -> {
            if (!over) {
                write(LlamaServerDouble.STREAM_HEAD);
                after(script.firstMs, this);
            }
        });
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
        return script.fault != null && !faulted && sent >= script.faultAt;
    }

    private int end() {
        return script.tokens >= 0 ? Math.min(limit, script.tokens) : limit;
    }

    private void frame(StringBuilder out) {
        if (script.ping) {
            out.append(":\n\n");
        }
        if (script.emptyEvery > 0 && sent % script.emptyEvery == 0) {
            out.append(partial(""));
        }
        String text = DoubleText.token(prompt, seed, sent);
        sent++;
        state.tokens++;
        if (script.cutChars && text.endsWith("🙂")) {
            out.append(partial(" \\ud83d")).append(partial("\\ude42"));
        } else {
            out.append(partial(text));
        }
    }

    private String partial(String text) {
        return "data: {\"index\":0,\"content\":\"" + text + "\",\"tokens\":[" + (100 + sent)
                + "],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":" + sent + ",\"tokens_evaluated\":"
                + promptTokens + "}\n\n";
    }

    private void last() {
        String stopType = script.tokens >= 0 && script.tokens <= limit ? "eos" : "limit";
        String frame =
                "data: {\"index\":0,\"content\":\"\",\"tokens\":[],\"id_slot\":0,\"stop\":true,\"model\":\"double\","
                        + "\"tokens_predicted\":" + sent + ",\"tokens_evaluated\":" + promptTokens
                        + ",\"generation_settings\":{\"n_predict\":" + limit + ",\"seed\":" + seed
                        + ",\"stop\":[],\"content\":\"no\"},\"prompt\":\"" + DoubleJson.escape(prompt)
                        + "\",\"has_new_line\":false,\"truncated\":false,\"stop_type\":\"" + stopType
                        + "\",\"stopping_word\":\"\",\"tokens_cached\":" + (sent + promptTokens)
                        + ",\"timings\":{\"prompt_n\":" + promptTokens
                        + ",\"prompt_ms\":1.5,\"predicted_n\":" + sent + ",\"predicted_ms\":" + (sent + 0.25)
                        + "}}\n\n";
        write(chunk(frame.getBytes(StandardCharsets.UTF_8)));
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
            case "inband_error" ->
                inBand("data: {\"error\":{\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}}");
            case "context_full" ->
                inBand(
                        "data: {\"error\":{\"code\":500,\"message\":\"Context size has been exceeded.\",\"type\":\"server_error\"}}");
            case "oldstyle_error" ->
                inBand("error: {\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}");
            case "eof_no_terminal" -> {
                write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                release();
                close();
            }
            case "midutf8" -> {
                byte[] whole = partial("\u4e2d").getBytes(StandardCharsets.UTF_8);
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
            default -> throw new IllegalArgumentException("no such fault: " + kind);
        }
    }

    private void inBand(String line) {
        write(chunk((line + "\n\n").getBytes(StandardCharsets.UTF_8)));
        write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        release();
        close();
    }

    private void release() {
        over = true;
        if (inSlot) {
            inSlot = false;
            state.leave();
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
