package io.llamaorch.orchestratord.bench.engine;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A llama.cpp server without a model, on the loopback address and one event loop.
 *
 * <p>Serves {@code POST /completion} (always as a stream), {@code GET /health}, {@code GET /props}, {@code GET /stats}, and
 * {@code POST /v1/tasks} with a small 202 as what a proxy is measured with beside the daemon's admission. Slots are
 * reported, not enforced: {@code running_peak} of {@code /stats} tells whether a client kept to them. Prints
 * {@code listening 127.0.0.1:PORT} and runs until it is stopped by a signal.
 */
@Command(name = "engine-simulator", description = "Speaks llama.cpp's wire without a model.")
public final class EngineSimulator implements Callable<Integer> {
    @Option(names = "--port", description = "0 for any (default: ${DEFAULT-VALUE})")
    private int port;

    @Option(names = "--slots", description = "total_slots of /props (default: ${DEFAULT-VALUE})")
    private int slots = 8;

    @Option(names = "--ctx", description = "context of a slot (default: ${DEFAULT-VALUE})")
    private int ctx = 8192;

    @Option(names = "--pace-ms", description = "between two tokens; 0: as fast as they are taken")
    private long paceMs;

    @Option(names = "--ttft-ms", description = "before the first token (default: ${DEFAULT-VALUE})")
    private long firstMs;

    @Option(names = "--stamp", description = "a token's text is @<nanoTime of its write>")
    private boolean stamp;

    @Option(names = "--coalesce", description = "tokens in one write (default: ${DEFAULT-VALUE})")
    private int tokensPerWrite = 1;

    @Option(names = "--tokens-max", description = "longest stream (default: ${DEFAULT-VALUE})")
    private int tokensMax = 8192;

    private EngineSimulator() {}

    /** Runs until stopped. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new EngineSimulator()).execute(arguments));
    }

    @Override
    public Integer call() throws InterruptedException {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        Channel server = new SimulatorServer(
                        slots, ctx, paceMs, firstMs, tokensPerWrite, new FrameTable(tokensMax, stamp))
                .start(group.next(), port);
        int bound = ((InetSocketAddress) server.localAddress()).getPort();
        System.out.println("listening 127.0.0.1:" + bound);
        server.closeFuture().sync();
        return 0;
    }
}
