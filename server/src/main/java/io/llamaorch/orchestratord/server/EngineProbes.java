package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.pool.Targets;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Asks each engine of a configuration once how it is, without a daemon: {@code check --connect}. */
public final class EngineProbes {
    private EngineProbes() {}

    /**
     * What one engine answered.
     *
     * @param poolIndex its pool's place in the configuration
     * @param replicaIndex its place in the pool
     * @param poolId its pool
     * @param replicaId its name
     * @param status as the daemon would see it
     */
    public record Probe(int poolIndex, int replicaIndex, String poolId, String replicaId, ReplicaStatus status) {}

    /**
     * Asks all that run outside the daemon, at the same time; returns when each has answered or its limit has passed.
     * Engines that the daemon would start are not there to be asked.
     */
    public static List<Probe> ask(Config config) throws InterruptedException {
        Transports transports = Transports.auto();
        MultiThreadIoEventLoopGroup group =
                new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("probe", true), transports.handlers());
        try {
            EventLoop loop = group.next();
            EngineAdapters adapters = new EngineAdapters(config, (target, warning) -> {});
            List<CompletableFuture<Probe>> answers = new ArrayList<>();
            for (int p = 0; p < config.pools().size(); p++) {
                Config.Pool pool = config.pools().get(p);
                for (int r = 0; r < pool.replicas().size() && pool.process() == null; r++) {
                    answers.add(ask(adapters.of(pool.engine()), pool, p, r, loop));
                }
            }
            List<Probe> probes = new ArrayList<>();
            for (CompletableFuture<Probe> answer : answers) {
                probes.add(answer.join()); // within EngineTimeouts.probeMs, as probes promise
            }
            return probes;
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await(2, TimeUnit.SECONDS);
        }
    }

    private static CompletableFuture<Probe> ask(
            EngineAdapter adapter, Config.Pool pool, int poolIndex, int replicaIndex, EventLoop loop) {
        Config.Replica replica = pool.replicas().get(replicaIndex);
        EngineTarget target = Targets.of(pool, replica);
        CompletableFuture<Probe> answer = new CompletableFuture<>();
        loop.execute(() -> adapter.probe(
                target,
                loop,
                status -> answer.complete(new Probe(poolIndex, replicaIndex, pool.id(), replica.id(), status))));
        return answer;
    }
}
