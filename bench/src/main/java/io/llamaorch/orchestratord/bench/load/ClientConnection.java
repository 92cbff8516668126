package io.llamaorch.orchestratord.bench.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;

/**
 * One keep-alive connection: sends a request, reads its answer, and in mode STREAM the task's stream after it.
 *
 * <p>Outlives its channel: when the server closes, the run opens a new one for it. <b>Owner thread:</b> the loop.
 */
final class ClientConnection extends ChannelInboundHandlerAdapter
        implements ResponseScanner.Listener, EventScanner.Listener {
    private enum Phase {
        IDLE,
        POST,
        STREAM
    }

    private final LoadRun run;
    private final LoadOptions options;
    private final Measurements measurements;
    private final ResponseScanner responses = new ResponseScanner(this);
    private final EventScanner events;
    private final StreamCheck check;
    private final byte[] taskId = new byte[RandomIds.LENGTH];
    private @Nullable Channel channel;
    private Phase phase = Phase.IDLE;
    private boolean answered;
    private boolean streaming;
    private boolean faulty;
    private boolean closing;
    private int status;
    private long startNs;
    private long lastTokenNs;
    private long nowNs;

    ClientConnection(LoadRun run, LoadOptions options, Measurements measurements) {
        this.run = run;
        this.options = options;
        this.measurements = measurements;
        this.events = new EventScanner(options.dialect(), options.stamped, this);
        this.check = new StreamCheck(options.dialect(), options.anyLength ? 0 : options.tokens);
    }

    /** The connection is open. */
    void onOpen(Channel opened) {
        channel = opened;
        closing = false;
        responses.reset();
    }

    boolean idle() {
        return phase == Phase.IDLE && channel != null && !closing;
    }

    /**
     * Sends one request.
     *
     * @param scheduledNs when it was due: latencies count from here
     */
    void issue(long scheduledNs) {
        if (phase != Phase.IDLE) {
            throw new IllegalStateException("a request is under way");
        }
        phase = Phase.POST;
        startNs = scheduledNs;
        faulty = false;
        answered = false;
        run.ids().next(taskId, 0);
        if (options.mode == LoadMode.PROXY) {
            startStream();
        }
        send(run.post());
    }

    /** Fails the request under way when it is older than the limit. */
    void failIfOlder(long now, long timeoutNs) {
        if (phase != Phase.IDLE && now - startNs > timeoutNs) {
            fault(Fault.TIMED_OUT, "no whole answer after " + options.timeoutSeconds + " s");
            close();
        }
    }

    void close() {
        closing = true;
        Channel open = channel;
        if (open != null) {
            open.close();
        }
    }

    private void startStream() {
        streaming = true;
        lastTokenNs = 0;
        events.reset();
        check.reset();
    }

    private void send(RequestTemplate template) {
        Channel open = channel;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        responses.expect();
        open.writeAndFlush(template.next(open.alloc(), taskId, run.ids()), open.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        nowNs = System.nanoTime();
        ByteBuf buffer = (ByteBuf) message;
        try {
            byte[] scratch = run.scratch();
            while (buffer.isReadable()) {
                int length = Math.min(scratch.length, buffer.readableBytes());
                buffer.readBytes(scratch, 0, length);
                if (measurements.isOpen()) {
                    measurements.reads++;
                    measurements.bytes += length;
                }
                responses.scan(scratch, 0, length);
            }
        } finally {
            buffer.release();
        }
    }

    @Override
    public void onHead(int code) {
        status = code;
        if (measurements.isOpen()) {
            measurements.onStatus(code);
        }
        int wanted = streaming || phase == Phase.STREAM ? 200 : 202;
        if (code != wanted) {
            streaming = false;
            fault(Fault.BAD_STATUS, "status " + code + " in phase " + phase);
        }
    }

    @Override
    public void onBody(byte[] bytes, int from, int to) {
        if (streaming) {
            if (!events.scan(bytes, from, to)) {
                fault(Fault.MALFORMED_EVENT, "a line above its limit");
                close();
            }
        } else if (faulty && !answered) {
            answered = true;
            run.onRefusal(status, bytes, from, to);
        }
    }

    @Override
    public void onEvent(EventKind kind, long id, long index, long stampNs) {
        Fault fault = check.onEvent(kind, id, index);
        if (fault != null) {
            fault(fault, kind + " with id " + id + " and i " + index + " after " + check.tokens() + " tokens");
        }
        if (kind == EventKind.TOKEN) {
            onToken(stampNs);
        }
    }

    private void onToken(long stampNs) {
        if (measurements.isOpen()) {
            measurements.tokens++;
            if (stampNs > 0) {
                measurements.record(measurements.deliveryNs, nowNs - stampNs);
            }
            if (lastTokenNs != 0) {
                measurements.record(measurements.gapNs, nowNs - lastTokenNs);
            } else if (measurements.covers(startNs)) {
                measurements.record(measurements.firstTokenNs, nowNs - startNs);
            }
        }
        lastTokenNs = nowNs;
    }

    @Override
    public void onComplete(boolean keepAlive) {
        boolean wasPost = phase == Phase.POST;
        if (wasPost && options.mode != LoadMode.PROXY && measurements.covers(startNs)) {
            measurements.record(measurements.admissionNs, nowNs - startNs);
        }
        if (streaming) {
            streaming = false;
            Fault fault = check.onEndOfBody();
            if (fault != null) {
                fault(fault, "after " + check.tokens() + " tokens");
            }
        }
        if (!keepAlive) {
            closing = true; // the server closes; until then nothing more is sent
        }
        if (wasPost && options.mode == LoadMode.STREAM && !faulty && keepAlive) {
            phase = Phase.STREAM;
            startStream();
            send(run.stream());
        } else {
            if (wasPost && options.mode == LoadMode.STREAM && !keepAlive) {
                fault(Fault.CONNECTION_LOST, "the server closes after the POST");
            }
            finish();
        }
    }

    @Override
    public void onFault(Fault fault) {
        fault(fault, "in phase " + phase);
        close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        channel = null;
        if (phase != Phase.IDLE) {
            fault(Fault.CONNECTION_LOST, "in phase " + phase);
            finish();
        }
        run.onClosed(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (phase != Phase.IDLE) {
            fault(Fault.CONNECTION_LOST, String.valueOf(cause));
        }
        close();
    }

    private void fault(Fault fault, String detail) {
        if (!faulty) {
            faulty = true;
            measurements.onFault(fault, detail);
        }
    }

    private void finish() {
        phase = Phase.IDLE;
        streaming = false;
        if (measurements.isOpen() && !faulty) {
            measurements.requests++;
        }
        run.onFinished(this);
    }
}
