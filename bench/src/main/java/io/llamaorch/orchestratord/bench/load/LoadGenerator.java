package io.llamaorch.orchestratord.bench.load;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The load generator's command: one run, then a table and, as the last line, one JSON object.
 *
 * <p>Exit status: 0 when every answer was right, 1 when one was not, 2 for a bad command line, 3 when the run failed.
 */
@Command(name = "load", description = "Loads an HTTP/1.1 server that streams tokens, and measures it.")
public final class LoadGenerator implements Callable<Integer> {
    private static final double START_SECONDS = 30;

    @Mixin
    private LoadOptions options = new LoadOptions();

    @Spec
    private @Nullable CommandSpec spec;

    private LoadGenerator() {}

    /** See {@code --help}-like usage on a wrong option. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new LoadGenerator()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        String problem = options.problem();
        if (problem != null && spec != null) {
            throw new ParameterException(spec.commandLine(), problem);
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try {
            LoadResult result = run(group);
            out.print(result.table());
            out.println(result.json());
            return result.figures().faultCount() == 0 && result.unfinished() == 0 ? 0 : 1;
        } catch (ExecutionException | TimeoutException e) {
            out.println("the run failed: " + e);
            return 3;
        } finally {
            out.flush();
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
        }
    }

    private LoadResult run(EventLoopGroup group) throws Exception {
        HeapProbe heap = options.heap ? HeapProbe.attach(options.pid) : null;
        try {
            double limit = START_SECONDS + options.warmupSeconds + options.seconds + options.drainSeconds;
            return new LoadRun(options, group.next(), heap).start().get((long) (limit * 1000), TimeUnit.MILLISECONDS);
        } finally {
            if (heap != null) {
                heap.close();
            }
        }
    }
}
