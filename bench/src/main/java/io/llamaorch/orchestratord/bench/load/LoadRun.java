package io.llamaorch.orchestratord.bench.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollSocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run: connect, warm up, measure, drain.
 *
 * <p>Closed loop: each connection sends its next request when the last one is done. Open loop: request {@code k} is due at
 * {@code start + k / rate}, whatever the server does; what is due while no connection is free waits, and its latency
 * counts from when it was due. Everything ends: the window, the drain and each request have a time limit, and new
 * connections have a count. <b>Owner thread:</b> the loop, but for {@link #start}.
 */
final class LoadRun {
    private enum State {
        CONNECTING,
        WARMING,
        MEASURING,
        DRAINING,
        DONE
    }

    private static final int CONNECTS_IN_FLIGHT_MAX = 128;
    private static final int READ_BYTES = 64 * 1024;
    private static final long SWEEP_NS = 500_000_000;

    private final LoadOptions options;
    private final EventLoop loop;
    private final @Nullable HeapProbe heap;
    private final Measurements measurements = new Measurements();
    private final RandomIds ids;
    private final RequestTemplate post;
    private final RequestTemplate stream;
    private final byte[] scratch = new byte[READ_BYTES];
    private final List<ClientConnection> connections = new ArrayList<>();
    private final ArrayDeque<ClientConnection> idle = new ArrayDeque<>();
    private final ArrayDeque<ClientConnection> unopened = new ArrayDeque<>();
    private final CompletableFuture<LoadResult> result = new CompletableFuture<>();
    private final Bootstrap bootstrap;
    private State state = State.CONNECTING;
    private int connecting;
    private int opened;
    private long connectsLeft;
    private long inFlight;
    private long issuedInWindow;
    private long scheduleStartNs;
    private long dueCount;
    private long takenCount;
    private @Nullable String firstRefusal;
    private @Nullable Snapshot before;
    private @Nullable Snapshot after;

    LoadRun(LoadOptions options, EventLoop loop, @Nullable HeapProbe heap) {
        this.options = options;
        this.loop = loop;
        this.heap = heap;
        this.ids = new RandomIds(options.seed);
        this.post = options.post();
        this.stream = options.stream();
        this.connectsLeft = 4L * options.connections + 100;
        this.bootstrap = new Bootstrap()
                .group(loop)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 10_000)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BYTES))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {}
                });
    }

    /** Starts the run; the future completes when it is over. */
    CompletableFuture<LoadResult> start() {
        loop.execute(() -> {
            for (int i = 0; i < options.connections; i++) {
                ClientConnection connection = new ClientConnection(this, options, measurements);
                connections.add(connection);
                unopened.add(connection);
            }
            loop.scheduleWithFixedDelay(this::sweep, SWEEP_NS, SWEEP_NS, TimeUnit.NANOSECONDS);
            connectMore();
        });
        return result;
    }

    RandomIds ids() {
        return ids;
    }

    RequestTemplate post() {
        return post;
    }

    RequestTemplate stream() {
        return stream;
    }

    byte[] scratch() {
        return scratch;
    }

    private void connectMore() {
        while (connecting < CONNECTS_IN_FLIGHT_MAX && !unopened.isEmpty() && state != State.DONE) {
            if (connectsLeft-- <= 0) {
                result.completeExceptionally(new IOException("the server closes connections all the time: "
                        + (4L * options.connections + 100) + " were opened for " + options.connections));
                state = State.DONE;
                return;
            }
            ClientConnection connection = unopened.remove();
            connecting++;
            bootstrap.connect(options.host, options.port).addListener((ChannelFutureListener) future -> {
                connecting--;
                if (future.isSuccess()) {
                    future.channel().pipeline().addLast(connection);
                    connection.onOpen(future.channel());
                    onOpened(connection);
                } else {
                    measurements.onFault(Fault.CONNECT_FAILED, String.valueOf(future.cause()));
                    unopened.add(connection);
                }
                connectMore();
            });
        }
    }

    private void onOpened(ClientConnection connection) {
        opened++;
        if (state != State.CONNECTING) {
            onIdle(connection);
        } else if (opened == options.connections) {
            begin();
        }
    }

    private void begin() {
        if (options.warmupSeconds > 0) {
            state = State.WARMING;
            startTraffic();
            after(options.warmupSeconds, () -> withSnapshot(this::openWindow));
        } else {
            withSnapshot(this::openWindow);
        }
    }

    private void startTraffic() {
        scheduleStartNs = System.nanoTime();
        for (ClientConnection connection : connections) {
            onIdle(connection);
        }
        if (options.rate > 0) {
            pump();
        }
    }

    private void openWindow(Snapshot taken) {
        boolean cold = state == State.CONNECTING;
        state = State.MEASURING;
        before = taken;
        measurements.open(System.nanoTime());
        after(options.seconds, this::closeWindow);
        if (cold) {
            startTraffic();
        }
    }

    private void closeWindow() {
        if (state != State.MEASURING) {
            return;
        }
        state = State.DRAINING;
        measurements.close(System.nanoTime());
        withSnapshot(taken -> {
            after = taken;
            if (inFlight == 0) {
                done();
            } else {
                after(options.drainSeconds, this::done);
            }
        });
    }

    private void done() {
        Snapshot from = before;
        Snapshot to = after;
        if (state == State.DONE || from == null || to == null) {
            return;
        }
        state = State.DONE;
        measurements.seal();
        result.complete(new LoadResult(options, measurements, from, to, inFlight, firstRefusal));
        for (ClientConnection connection : connections) {
            connection.close();
        }
    }

    /** A request is over, well or not. */
    void onFinished(ClientConnection connection) {
        inFlight--;
        if (connection.idle()) {
            onIdle(connection);
        }
        endIfComplete();
    }

    /** The server or we closed the connection. */
    void onClosed(ClientConnection connection) {
        opened--;
        idle.remove(connection);
        if (state == State.WARMING || state == State.MEASURING || state == State.CONNECTING) {
            measurements.reconnects++;
            unopened.add(connection);
            connectMore();
        }
        endIfComplete();
    }

    /** Keeps the first body that came with an unwanted status, for the report. */
    void onRefusal(int status, byte[] bytes, int from, int to) {
        if (firstRefusal == null) {
            firstRefusal =
                    status + " " + new String(bytes, from, Math.min(to - from, 300), StandardCharsets.UTF_8).strip();
        }
    }

    private void endIfComplete() {
        if (inFlight == 0 && (state == State.DRAINING || (state == State.MEASURING && allIssued()))) {
            if (state == State.MEASURING) {
                closeWindow();
            } else {
                done();
            }
        }
    }

    private void onIdle(ClientConnection connection) {
        if (options.rate > 0 && takenCount == dueCount) {
            idle.add(connection);
        } else if (mayIssue()) {
            issue(connection, options.rate > 0 ? dueNs(takenCount++) : System.nanoTime());
        }
    }

    private void issue(ClientConnection connection, long scheduledNs) {
        inFlight++;
        if (state == State.MEASURING) {
            issuedInWindow++;
            if (options.rate > 0) {
                measurements.record(measurements.latenessNs, System.nanoTime() - scheduledNs);
            }
        }
        connection.issue(scheduledNs);
    }

    private boolean mayIssue() {
        return state == State.WARMING || (state == State.MEASURING && !allIssued());
    }

    private boolean allIssued() {
        return options.requests > 0 && issuedInWindow >= options.requests;
    }

    /** Issues what is due, and comes back when the next one is. */
    private void pump() {
        if (!mayIssue()) {
            return;
        }
        long nowNs = System.nanoTime();
        while (dueNs(dueCount) - nowNs <= 0) {
            dueCount++;
            ClientConnection connection = idle.poll();
            if (connection != null && mayIssue()) {
                issue(connection, dueNs(takenCount++));
            }
        }
        loop.schedule(this::pump, Math.max(1, dueNs(dueCount) - System.nanoTime()), TimeUnit.NANOSECONDS);
    }

    private long dueNs(long request) {
        return scheduleStartNs + (long) (request * 1e9 / options.rate);
    }

    private void sweep() {
        long nowNs = System.nanoTime();
        for (ClientConnection connection : connections) {
            connection.failIfOlder(nowNs, (long) (options.timeoutSeconds * 1e9));
        }
        if (state != State.DONE) {
            connectMore();
        }
    }

    /** Takes a snapshot on another thread, because it takes milliseconds that a schedule would feel; then goes on here. */
    private void withSnapshot(Consumer<Snapshot> next) {
        CompletableFuture.supplyAsync(this::snapshot)
                .whenCompleteAsync(
                        (taken, failure) -> {
                            if (failure != null) {
                                result.completeExceptionally(failure);
                            } else {
                                next.accept(taken);
                            }
                        },
                        loop);
    }

    private Snapshot snapshot() {
        try {
            long allocated = heap == null ? 0 : heap.allocatedBytes();
            return Snapshot.take(options.pid, options.beside, allocated);
        } catch (IOException e) {
            throw new IllegalStateException("cannot measure process " + options.pid, e);
        }
    }

    private void after(double seconds, Runnable what) {
        loop.schedule(
                () -> {
                    try {
                        what.run();
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                },
                (long) (seconds * 1e9),
                TimeUnit.NANOSECONDS);
    }
}
