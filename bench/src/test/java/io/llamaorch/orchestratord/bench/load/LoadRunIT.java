package io.llamaorch.orchestratord.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.bench.engine.SimulatorServer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The load generator against the engine simulator, over sockets. */
class LoadRunIT {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void shouldCountEveryTokenOnceWhenUnpaced() throws Exception {
        LoadResult result = run(0, LoadMode.PROXY, 20, 200);
        assertThat(result.figures().firstFault()).isNull();
        assertThat(result.figures().requests).isEqualTo(200);
        assertThat(result.figures().tokens).isEqualTo(200 * 20);
        assertThat(result.figures().deliveryNs.getTotalCount()).isEqualTo(200 * 20);
        assertThat(result.figures().firstTokenNs.getTotalCount()).isEqualTo(200);
        assertThat(result.figures().gapNs.getTotalCount()).isEqualTo(200 * 19);
        assertThat(result.figures().statusCount(200)).isEqualTo(200);
        assertThat(result.unfinished()).isZero();
    }

    @Test
    void shouldKeepThePace() throws Exception {
        LoadResult result = run(5, LoadMode.PROXY, 20, 8);
        assertThat(result.figures().firstFault()).isNull();
        assertThat(result.figures().tokens).isEqualTo(8 * 20);
        assertThat(result.figures().gapNs.getMean()).isGreaterThan(4.5e6);
    }

    @Test
    void shouldMeasureAdmissions() throws Exception {
        LoadResult result = run(0, LoadMode.ADMIT, 1, 500);
        assertThat(result.figures().firstFault()).isNull();
        assertThat(result.figures().requests).isEqualTo(500);
        assertThat(result.figures().admissionNs.getTotalCount()).isEqualTo(500);
        assertThat(result.json()).contains("\"status_202\":500", "\"faults\":0");
    }

    @Test
    void shouldSendBySchedule() throws Exception {
        LoadOptions options = options(LoadMode.ADMIT, 1, 400);
        options.rate = 2000;
        LoadResult result = run(0, options);
        assertThat(result.figures().firstFault()).isNull();
        assertThat(result.figures().requests).isEqualTo(400);
        assertThat(result.figures().latenessNs.getTotalCount()).isEqualTo(400);
        assertThat(result.figures().seconds()).isGreaterThan(399 / 2000.0);
    }

    @Test
    void shouldCountWhatIsUnfinishedAndNotCallItAFault() throws Exception {
        LoadOptions options = options(LoadMode.PROXY, 250, 0);
        options.seconds = 0.2;
        options.drainSeconds = 0.1;
        LoadResult result = run(20, options);
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        assertThat(result.unfinished()).isEqualTo(4);
        assertThat(result.figures().firstFault()).isNull();
    }

    @Test
    void shouldNoticeAnAnswerThatIsNotWanted() throws Exception {
        LoadOptions options = options(LoadMode.PROXY, 1, 4);
        options.path = "/nothing";
        LoadResult result = run(0, options);
        assertThat(result.figures().requests).isZero();
        assertThat(result.figures().faultCount(Fault.BAD_STATUS)).isEqualTo(4);
        assertThat(result.firstRefusal()).startsWith("404 {");
    }

    private LoadResult run(long paceMs, LoadMode mode, int tokens, long requests) throws Exception {
        return run(paceMs, options(mode, tokens, requests));
    }

    private LoadResult run(long paceMs, LoadOptions options) throws Exception {
        Channel server = SimulatorServer.stamped(paceMs).start(group.next(), 0);
        options.port = ((InetSocketAddress) server.localAddress()).getPort();
        return new LoadRun(options, group.next(), null).start().get(30, TimeUnit.SECONDS);
    }

    private static LoadOptions options(LoadMode mode, int tokens, long requests) {
        LoadOptions options = new LoadOptions();
        options.mode = mode;
        options.connections = 4;
        options.tokens = tokens;
        options.requests = requests;
        options.stamped = mode == LoadMode.PROXY;
        options.seed = 1;
        return options;
    }
}
