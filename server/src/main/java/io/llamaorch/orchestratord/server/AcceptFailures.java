package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.prometheus.client.Counter;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Counts what goes wrong with the listening socket, which is most often that no more files may be opened, and logs the
 * first of it and then at most one line a minute.
 *
 * <p>Stands behind Netty's acceptor, which pauses accepting for a second after each failure. Owner: the listener's loop.
 */
final class AcceptFailures extends ChannelInboundHandlerAdapter {
    private static final long QUIET_NS = TimeUnit.MINUTES.toNanos(1);

    private final Consumer<String> report;
    private final Counter counter;
    private final LongSupplier nanoTime;
    private long unlogged;
    private boolean logged;
    private long loggedAtNs;

    AcceptFailures(Consumer<String> report, Counter counter, LongSupplier nanoTime) {
        this.report = report;
        this.counter = counter;
        this.nanoTime = nanoTime;
    }

    /** Watches a socket that listens already. */
    static void watch(Channel listener, EventLog log, Metrics metrics) {
        listener.pipeline()
                .addLast(new AcceptFailures(
                        human -> log.warning("accept_failed", human), metrics.acceptFailures(), System::nanoTime));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        counter.inc();
        unlogged++;
        long nowNs = nanoTime.getAsLong();
        if (logged && nowNs - loggedAtNs < QUIET_NS) {
            return;
        }
        report.accept("No connection could be accepted (" + unlogged + " since the last such line): "
                + cause.getMessage() + ". Where too many files are open, raise the limit (ulimit -n) or lower"
                + " http.connections.");
        logged = true;
        loggedAtNs = nowNs;
        unlogged = 0;
    }
}
