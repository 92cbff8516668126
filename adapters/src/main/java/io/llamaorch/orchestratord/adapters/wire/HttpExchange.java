package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One request to an engine and its answer.
 *
 * <pre>
 *   CONNECTING ─▶ WAITING (request sent) ─▶ READING (first byte of the body) ─▶ DONE
 *                                             └─ finish() ─▶ DRAINING (≤ 1 s, nobody told) ─▶ DONE
 * </pre>
 *
 * <p>Limits of time cost one timer for the whole exchange: each read notes the time, and the timer, when it fires, looks
 * at that and arms itself for what is left. While {@link #pause paused} no limit runs, for it is us who do not read.
 *
 * <p>Owned by its loop: every method is called there, and the listener is told there.
 */
public final class HttpExchange implements Runnable {
    private static final long DRAIN_LIMIT_NS = TimeUnit.SECONDS.toNanos(1);

    /** Told of the answer: {@code onHead (onBody* onBatchEnd)* (onComplete | onFailure)}, and nothing after the last. */
    public interface Listener {
        /** The head of the final answer is there. */
        void onHead(HttpResponseParser response);

        /** Bytes of the body; see {@link HttpResponseParser.Listener#onBody}. */
        void onBody(ByteBuf buf, int offset, int length);

        /** All that one turn of the loop read was handed over, or as much as came before {@link #pause}. */
        void onBatchEnd();

        /** The answer ended as its framing says. */
        void onComplete();

        /** The answer did not come, or not whole. */
        void onFailure(HttpFailure failure, String what);
    }

    private enum Phase {
        CONNECTING,
        WAITING,
        READING,
        DRAINING,
        DONE
    }

    private final EngineHttpClient client;
    private final EngineTarget target;
    private final EventLoop loop;
    private final Listener listener;
    private final HttpResponseParser parser;

    private Phase phase = Phase.CONNECTING;
    private @Nullable ByteBuf request;
    private @Nullable EngineConnection connection;
    private @Nullable Future<?> timer;
    private @Nullable ArrayDeque<ByteBuf> held;
    private @Nullable String heldEnd;
    private long lastReadNs;
    /** When the body began, and the last data in it, where the listener tells of data; see {@link #expectData}. */
    private boolean tellsData;

    private boolean dataSeen;
    private long lastDataNs;
    private boolean paused;

    HttpExchange(EngineHttpClient client, EngineTarget target, ByteBuf request, EventLoop loop, Listener listener) {
        this.client = client;
        this.target = target;
        this.request = request;
        this.loop = loop;
        this.listener = listener;
        this.parser = new HttpResponseParser(new ParserListener());
    }

    EngineTarget target() {
        return target;
    }

    EventLoop loop() {
        return loop;
    }

    boolean isConnecting() {
        return phase == Phase.CONNECTING;
    }

    /** Ends the exchange at once; the listener hears nothing more. Idempotent. */
    public void abort() {
        if (phase != Phase.DONE) {
            EngineConnection conn = connection;
            done();
            if (conn != null) {
                conn.close();
            }
        }
    }

    /**
     * The body is a stream of frames: from now on only {@link #onData} shows that the engine works; keep-alive comments do
     * not. Until the first of them the limit of the first byte goes on. Called when the head is there.
     */
    void expectData() {
        tellsData = true;
        lastDataNs = lastReadNs;
    }

    /** Data came with what was read last. */
    void onData() {
        dataSeen = true;
        lastDataNs = lastReadNs;
    }

    /** Stops reading, after the part being handed over, until {@link #resume}. */
    public void pause() {
        if (phase == Phase.READING && !paused) {
            paused = true;
            parser.suspend();
            setReading(false);
        }
    }

    /** Reads on after {@link #pause}. */
    public void resume() {
        if (!paused) {
            return;
        }
        paused = false;
        lastReadNs = now();
        lastDataNs = lastReadNs;
        ArrayDeque<ByteBuf> bufs = held;
        String end = heldEnd;
        if (bufs == null && end == null) {
            setReading(true);
            return;
        }
        // Not within the caller, which may be the listener itself.
        loop.execute(this::replayHeld);
    }

    /** The listener knows all it wants: the rest of the answer is read past, so that the engine can end it in peace. */
    public void finish() {
        if (phase == Phase.WAITING || phase == Phase.READING) {
            paused = false;
            enter(Phase.DRAINING, DRAIN_LIMIT_NS);
            setReading(true);
        }
    }

    /** The one timer; called by the loop. */
    @Override
    public void run() {
        timer = null;
        long now = now();
        switch (phase) {
            case CONNECTING ->
                fail(
                        HttpFailure.CONNECT_TIMEOUT,
                        "no connection within " + target.timeouts().connectMs() + " ms");
            case WAITING -> {
                fail(
                        HttpFailure.FIRST_BYTE_TIMEOUT,
                        "no first byte of the answer within "
                                + target.timeouts().firstByteMs() + " ms");
            }
            case READING -> {
                boolean prefill = tellsData && !dataSeen;
                int limitMs = prefill
                        ? target.timeouts().firstByteMs()
                        : target.timeouts().idleMs();
                long limitNs = TimeUnit.MILLISECONDS.toNanos(limitMs);
                long leftNs = paused ? limitNs : limitNs - (now - (tellsData ? lastDataNs : lastReadNs));
                if (leftNs > 0) {
                    arm(leftNs);
                } else if (prefill) {
                    fail(HttpFailure.FIRST_BYTE_TIMEOUT, "no data from the engine within " + limitMs + " ms");
                } else {
                    fail(
                            HttpFailure.IDLE_TIMEOUT,
                            "nothing from the engine for " + target.timeouts().idleMs() + " ms");
                }
            }
            case DRAINING -> abort();
            default -> {}
        }
    }

    void begin() {
        if (phase == Phase.CONNECTING) {
            enter(
                    Phase.CONNECTING,
                    TimeUnit.MILLISECONDS.toNanos(target.timeouts().connectMs()));
            client.connect(this, true);
        }
    }

    /** A connection is being made, or was found idle. */
    void onConnection(EngineConnection conn) {
        connection = conn;
    }

    /** The connection stands: sends the request. */
    void onConnected() {
        ByteBuf bytes = request;
        EngineConnection conn = connection;
        if (phase != Phase.CONNECTING || bytes == null || conn == null) {
            return;
        }
        enter(Phase.WAITING, TimeUnit.MILLISECONDS.toNanos(target.timeouts().firstByteMs()));
        if (conn.isReused()) {
            conn.write(bytes.retainedDuplicate());
        } else {
            request = null;
            conn.write(bytes);
        }
    }

    void onConnectFailed(String why) {
        fail(HttpFailure.CONNECT, why);
    }

    void onRead(ByteBuf buf) {
        if (phase == Phase.DONE) {
            buf.release();
            return;
        }
        lastReadNs = now();
        if (paused || held != null) {
            hold(buf);
            return;
        }
        dropRequest();
        parse(buf);
    }

    void onReadComplete() {
        if (phase == Phase.WAITING || phase == Phase.READING) {
            listener.onBatchEnd();
        }
    }

    void onClosed(String why) {
        if (phase == Phase.DONE) {
            return;
        }
        if (paused || held != null) {
            heldEnd = why;
            return;
        }
        EngineConnection conn = connection;
        if (phase == Phase.WAITING && conn != null && conn.isReused() && !parser.isStarted()) {
            // The idle connection had ended before the request came: nothing was answered, so nothing is done twice.
            conn.close();
            connection = null;
            enter(
                    Phase.CONNECTING,
                    TimeUnit.MILLISECONDS.toNanos(target.timeouts().connectMs()));
            client.connect(this, false);
            return;
        }
        if (parser.eof() == HttpResponseParser.Result.COMPLETE) {
            complete(false);
        } else {
            fail(phase == Phase.CONNECTING ? HttpFailure.CONNECT : HttpFailure.RESET, why);
        }
    }

    private void parse(ByteBuf buf) {
        HttpResponseParser.Result result;
        try {
            result = parser.parse(buf);
        } catch (RuntimeException e) {
            buf.release();
            fail(
                    HttpFailure.PROTOCOL,
                    "defect while reading the answer: " + e.getClass().getSimpleName());
            throw e;
        }
        switch (result) {
            case COMPLETE -> {
                boolean clean = !buf.isReadable();
                buf.release();
                complete(clean);
            }
            case BROKEN -> {
                buf.release();
                fail(HttpFailure.PROTOCOL, "not an HTTP answer: " + parser.problem());
            }
            case SUSPENDED -> {
                if (phase == Phase.DONE) {
                    buf.release();
                } else if (paused) {
                    hold(buf);
                } else {
                    parse(buf);
                }
            }
            default -> buf.release();
        }
    }

    private void hold(ByteBuf buf) {
        if (!buf.isReadable()) {
            buf.release();
            return;
        }
        ArrayDeque<ByteBuf> bufs = held;
        if (bufs == null) {
            bufs = new ArrayDeque<>(2);
            held = bufs;
        }
        bufs.add(buf);
    }

    private void replayHeld() {
        ArrayDeque<ByteBuf> bufs = held;
        held = null;
        while (bufs != null && phase != Phase.DONE && !paused) {
            ByteBuf next = bufs.poll();
            if (next == null) {
                break;
            }
            parse(next);
        }
        if (bufs != null && !bufs.isEmpty()) {
            if (phase == Phase.DONE) {
                bufs.forEach(ByteBuf::release);
            } else {
                ByteBuf rest = held == null ? null : held.poll();
                if (rest != null) {
                    bufs.addFirst(rest);
                }
                held = bufs;
            }
        }
        onReadComplete();
        String end = heldEnd;
        if (phase == Phase.DONE || paused) {
            return;
        }
        if (end != null && held == null) {
            heldEnd = null;
            onClosed(end);
        } else {
            setReading(true);
        }
    }

    private void complete(boolean clean) {
        boolean tell = phase != Phase.DRAINING && phase != Phase.DONE;
        EngineConnection conn = connection;
        done();
        if (conn != null) {
            if (clean && parser.isReusable() && conn.isOpen()) {
                client.keep(target, loop, conn);
            } else {
                conn.close();
            }
        }
        if (tell) {
            listener.onComplete();
        }
    }

    private void fail(HttpFailure failure, String what) {
        boolean tell = phase != Phase.DRAINING && phase != Phase.DONE;
        abort();
        if (tell) {
            listener.onFailure(failure, what);
        }
    }

    private void done() {
        phase = Phase.DONE;
        parser.abandon();
        connection = null;
        cancelTimer();
        dropRequest();
        ArrayDeque<ByteBuf> bufs = held;
        held = null;
        if (bufs != null) {
            bufs.forEach(ByteBuf::release);
        }
    }

    private void dropRequest() {
        ByteBuf bytes = request;
        if (bytes != null) {
            request = null;
            bytes.release();
        }
    }

    private void setReading(boolean reading) {
        EngineConnection conn = connection;
        if (conn != null) {
            conn.setReading(reading);
        }
    }

    private void enter(Phase next, long limitNs) {
        phase = next;
        cancelTimer();
        arm(limitNs);
    }

    private void arm(long delayNs) {
        timer = loop.schedule(this, delayNs, TimeUnit.NANOSECONDS);
    }

    private void cancelTimer() {
        Future<?> armed = timer;
        if (armed != null) {
            timer = null;
            armed.cancel(false);
        }
    }

    private long now() {
        return loop.ticker().nanoTime();
    }

    private final class ParserListener implements HttpResponseParser.Listener {
        @Override
        public void onHead() {
            if (phase == Phase.WAITING) {
                listener.onHead(parser);
            }
        }

        @Override
        public void onBody(ByteBuf buf, int offset, int length) {
            if (phase == Phase.WAITING) {
                lastReadNs = now();
                enter(
                        Phase.READING,
                        TimeUnit.MILLISECONDS.toNanos(target.timeouts().idleMs()));
            }
            if (phase == Phase.READING) {
                listener.onBody(buf, offset, length);
            }
        }
    }
}
