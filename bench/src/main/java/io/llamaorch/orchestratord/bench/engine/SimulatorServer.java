package io.llamaorch.orchestratord.bench.engine;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;

/** The simulator as a listening channel, on the loopback address and one loop. */
public final class SimulatorServer {
    private static final int BACKLOG = 4096;
    private static final int WRITE_LOW_BYTES = 16 * 1024;
    private static final int WRITE_HIGH_BYTES = 32 * 1024;

    private final long paceMs;
    private final long firstMs;
    private final int tokensPerWrite;
    private final FrameTable frames;
    private final String props;

    /** See the options of {@link EngineSimulator}. */
    SimulatorServer(int slots, int ctx, long paceMs, long firstMs, int tokensPerWrite, FrameTable frames) {
        this.paceMs = paceMs;
        this.firstMs = firstMs;
        this.tokensPerWrite = tokensPerWrite;
        this.frames = frames;
        this.props = "{\"default_generation_settings\":{\"n_ctx\":" + ctx
                + ",\"params\":{\"n_predict\":-1}},\"total_slots\":" + slots
                + ",\"model_path\":\"simulator.gguf\",\"chat_template\":\"\",\"build_info\":\"simulator-1\"}";
    }

    /** A simulator with stamps, for tests. */
    public static SimulatorServer stamped(long paceMs) {
        return new SimulatorServer(8, 8192, paceMs, 0, 1, new FrameTable(256, true));
    }

    /**
     * Listens.
     *
     * @param port 0 for any
     */
    public Channel start(EventLoop loop, int port) throws InterruptedException {
        SimulatorStats stats = new SimulatorStats();
        Pacer pacer = new Pacer(loop, stats, paceMs, firstMs, tokensPerWrite);
        return new ServerBootstrap()
                .group(loop)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(WRITE_LOW_BYTES, WRITE_HIGH_BYTES))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new SimulatorConnection(frames, pacer, stats, props));
                    }
                })
                .bind("127.0.0.1", port)
                .sync()
                .channel();
    }
}
