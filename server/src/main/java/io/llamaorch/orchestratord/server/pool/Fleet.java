package io.llamaorch.orchestratord.server.pool;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.process.CommandTemplate;
import io.llamaorch.orchestratord.adapters.process.EngineGuard;
import io.llamaorch.orchestratord.adapters.process.EngineProcess;
import io.llamaorch.orchestratord.adapters.process.EngineSpec;
import io.llamaorch.orchestratord.adapters.process.EngineState;
import io.llamaorch.orchestratord.adapters.process.EngineStatus;
import io.llamaorch.orchestratord.adapters.process.EngineSupervisor;
import io.llamaorch.orchestratord.adapters.process.OrphanSweep;
import io.llamaorch.orchestratord.adapters.process.PortLeases;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The engines that the daemon starts, between their supervisor and the watches of their replicas.
 *
 * <pre>
 *   EngineSupervisor ── status ──▶ Fleet ── retarget, hold ──▶ ReplicaWatch ── view ──▶ Fleet ── ready, unresponsive ──▶ EngineSupervisor
 * </pre>
 *
 * <p>Each start of a process has a run id; a watch looks at one run, and what is said of an earlier one is not its concern.
 * While a loader has claimed a replica, its watch looks at nothing new: what is started then is the loader's to judge.
 *
 * <p><b>Owner thread:</b> the control loop, but for {@link #start}, {@link #close} and the methods that say so.
 */
final class Fleet implements AutoCloseable {
    private static final long SWEEP_GRACE_MS = 2_000;
    private static final int LOG_FILES = 2;
    /** Between two looks at an engine that is to be ended as soon as it is idle, ms. */
    private static final long IDLE_POLL_MS = 100;

    /** One replica whose engine the daemon starts. */
    private static final class Member {
        final Replica replica;
        final ReplicaWatch watch;
        /** The run that the watch looks at, 0 for none. */
        long run;
        /** The run that has been ready and is asked whether it hangs, 0 for none. */
        long ready;
        /** Whether somebody looks again whether it hangs. */
        boolean suspected;
        /** Whether the time is awaited at which decodes that are not ours have run too long. */
        boolean haunted;
        /** Whether {@code run} is one beside the current one, which is on its way out. */
        boolean beside;
        /** Whether a loader judges what is started. */
        boolean claimed;
        /** As its engine's supervisor counts: from 0 again with each order. */
        long restarts;
        /** In all. */
        long restartsInAll;
        /** When {@link #run} began, and the least that one took to get ready, ms; 0 for none. */
        long beganNs;

        long startMs;

        Member(Replica replica, ReplicaWatch watch) {
            this.replica = replica;
            this.watch = watch;
        }
    }

    private final Config config;
    private final EventLoop loop;
    private final Metrics metrics;
    private final EventLog log;
    private final Map<String, Member> members = new HashMap<>();
    private final List<Consumer<EngineStatus>> followers = new ArrayList<>();
    private volatile @Nullable EngineSupervisor supervisor;
    private volatile boolean hurry;
    private StartListener started = (pool, replica) -> {};

    /** @param loop the control loop */
    Fleet(Config config, Pools pools, Watches watches, EventLoop loop, Metrics metrics, EventLog log) {
        this.config = config;
        this.loop = loop;
        this.metrics = metrics;
        this.log = log;
        for (Pool pool : pools.all()) {
            if (pool.config().process() == null) {
                continue;
            }
            List<ReplicaWatch> watched = watches.of(pool);
            for (Replica replica : pool.replicas()) {
                ReplicaWatch watch = watched.get(replica.index());
                watch.hold("its engine is not started yet");
                members.put(name(replica), new Member(replica, watch));
            }
        }
    }

    /** Told, on the control loop, that an engine was started anew: what was held against the old one is past. */
    @FunctionalInterface
    interface StartListener {
        void onStarted(int poolIndex, int replicaIndex);
    }

    void onStarted(StartListener listener) {
        started = listener;
    }

    /** Name of a replica's engine, unique in the daemon. */
    static String name(Replica replica) {
        return replica.pool().config().id() + "/" + replica.id();
    }

    /**
     * Ends what an earlier daemon left behind, and starts every engine. Blocks; once, on a thread that is no event loop.
     *
     * @throws IOException where the guard's script can't be written
     */
    void start() throws IOException {
        Path guards = config.stateDir().resolve("run");
        if (!members.isEmpty() || EngineGuard.isInstalled(guards)) {
            for (long pid : OrphanSweep.run(SWEEP_GRACE_MS)) {
                log.warning(
                        "orphan_engine", "An engine of an earlier daemon was still running and was ended: pid " + pid);
            }
        }
        if (members.isEmpty()) {
            return;
        }
        Config.Processes shared = config.processes();
        EngineGuard guard = EngineGuard.install(guards);
        EngineSupervisor started = new EngineSupervisor(
                guard,
                new PortLeases(shared.firstPort(), shared.lastPort()),
                status -> loop.execute(() -> onStatus(status)));
        supervisor = started;
        if (hurry) {
            started.hurry();
        }
        members.values()
                .forEach(member -> started.start(
                        spec(member.replica, member.replica.pool().config().model())));
    }

    /** Whether {@link #start} has come so far that orders can be given; any thread. */
    boolean isStarted() {
        return supervisor != null;
    }

    EngineSupervisor supervisor() {
        EngineSupervisor running = supervisor;
        if (running == null) {
            throw new IllegalStateException("the engines are not started");
        }
        return running;
    }

    /** How a replica's engine is started with a model. */
    EngineSpec spec(Replica replica, String modelRef) {
        Config.Pool pool = replica.pool().config();
        Config.Provisioning process = process(pool);
        Config.Replica configured = pool.replicas().get(replica.index());
        String mask = configured.deviceMask();
        long fileBytes = config.processes().logFileBytes();
        EngineProcess.Logs memory = EngineProcess.Logs.IN_MEMORY;
        Path folder = fileBytes == 0 ? null : config.stateDir().resolve("logs");
        return new EngineSpec(
                name(replica),
                process.command(),
                new CommandTemplate.Values(
                        Targets.engineModel(modelRef), mask == null ? "" : mask, pool.ctx(), configured.slots()),
                process.restarts(),
                process.startTimeoutMs(),
                process.stopGraceMs(),
                new EngineProcess.Logs(memory.lines(), memory.chars(), memory.lineBytes(), null, fileBytes, LOG_FILES),
                folder);
    }

    private static Config.Provisioning process(Config.Pool pool) {
        Config.Provisioning process = pool.process();
        if (process == null) {
            throw new IllegalStateException("the daemon does not start engines of pool " + pool.id());
        }
        return process;
    }

    /** Where a process of a replica listens, serving a model. */
    static EngineTarget target(Replica replica, int port, String modelRef) {
        Config.Pool pool = replica.pool().config();
        String named = pool.engineModel(); // its command line gives it that name, whatever the model
        return Targets.at(
                pool,
                pool.replicas().get(replica.index()),
                URI.create("http://127.0.0.1:" + port),
                named != null ? named : Targets.engineModel(modelRef));
    }

    /** Told of every status from now on, on the control loop; until {@link #unfollow}. */
    void follow(Consumer<EngineStatus> follower) {
        followers.add(follower);
    }

    void unfollow(Consumer<EngineStatus> follower) {
        followers.remove(follower);
    }

    /** From now on what is started for a replica is no concern of its watch, until {@link #adopt} or {@link #release}. */
    void claim(Replica replica) {
        member(replica).claimed = true;
    }

    /** From now on a replica's watch looks at this run, which is ready. */
    void adopt(Replica replica, long run, ModelLoader.Mode mode) {
        Member member = member(replica);
        member.claimed = false;
        member.beside = mode == ModelLoader.Mode.BESIDE;
        member.run = run;
        member.ready = run;
    }

    /** What was started while a replica was claimed is its watch's to judge now. */
    void release(Replica replica) {
        Member member = member(replica);
        if (!member.claimed) {
            return;
        }
        member.claimed = false;
        for (EngineStatus status : supervisor().statuses()) {
            if (status.replicaId().equals(name(replica)) && status.role() == EngineStatus.Role.CURRENT) {
                onCurrent(member, status);
            }
        }
    }

    /** Makes the engines that were loaded beside the replica's its own; where one has ended by now, another is started. */
    void promote(Replica replica) {
        supervisor().promote(name(replica)).exceptionally(why -> {
            loop.execute(() -> startInstead(replica));
            return null;
        });
    }

    private void startInstead(Replica replica) {
        member(replica).beside = false;
        supervisor().abandon(name(replica));
        supervisor().restart(spec(replica, replica.modelRef())).exceptionally(why -> null); // only when closing
    }

    private Member member(Replica replica) {
        Member member = members.get(name(replica));
        if (member == null) {
            throw new IllegalStateException("the daemon does not start the engine of " + name(replica));
        }
        return member;
    }

    private void onStatus(EngineStatus status) {
        Member member = members.get(status.replicaId());
        if (member != null && status.role() == EngineStatus.Role.CURRENT) {
            member.beside &= status.runId() != member.run;
            if (!member.beside) {
                onCurrent(member, status);
            }
        } else if (member != null && status.runId() == member.run && status.state() == EngineState.FAILED) {
            hold(member, status); // adopted, and ended before it was promoted
        }
        List.copyOf(followers).forEach(follower -> follower.accept(status));
    }

    private void onCurrent(Member member, EngineStatus status) {
        String poolId = member.replica.pool().config().id();
        if (status.restarts() > member.restarts) {
            long more = status.restarts() - member.restarts;
            member.restartsInAll += more;
            metrics.restarts(poolId, member.replica.id()).inc((double) more);
        }
        member.restarts = status.restarts();
        switch (status.state()) {
            case STARTING -> {
                if (!member.claimed && member.run < status.runId() && status.port() > 0) {
                    member.run = status.runId();
                    member.beganNs = System.nanoTime();
                    member.watch.onRestart((int) Math.min(Integer.MAX_VALUE, member.restartsInAll));
                    look(member, status);
                }
            }
            case RUNNING -> {}
            case STOPPED, STOPPING, BACKOFF, FAILED -> {
                if (member.run <= status.runId()) {
                    hold(member, status);
                }
                if (status.state() != EngineState.STOPPING) {
                    log.engineProcess(poolId, member.replica.id(), words(status.state()), status.lastError());
                }
            }
        }
    }

    private static void hold(Member member, EngineStatus status) {
        String why = status.lastError();
        String more = status.state() == EngineState.FAILED ? "; reload the pool to start it again" : "";
        member.watch.hold(why == null ? words(status.state()) : why + more);
    }

    private static String words(EngineState state) {
        return switch (state) {
            case STOPPED -> "its engine is stopped";
            case STOPPING -> "its engine is being stopped";
            case BACKOFF -> "its engine ended and is started again soon";
            case FAILED -> "its engine ended too often and is not started again; reload the pool to start it again";
            case STARTING, RUNNING -> "its engine runs";
        };
    }

    private void look(Member member, EngineStatus status) {
        Replica replica = member.replica;
        EngineTarget target = target(replica, status.port(), replica.modelRef());
        replica.move(target);
        member.watch.retarget(target, null, status.runId());
        started.onStarted(replica.pool().index(), replica.index());
    }

    /** A watch has seen something; on the watch's loop. */
    void onView(Replica replica, ReplicaView before, ReplicaView now) {
        Member member = members.get(name(replica));
        if (member != null && (before.state() != now.state() || before.occupied() != now.occupied())) {
            long run = member.watch.run();
            loop.execute(() -> judge(member, run, now));
        }
    }

    /** @param run that the watch looked at when it saw this */
    private void judge(Member member, long run, ReplicaView view) {
        if (run == 0 || run != member.run) {
            return;
        }
        if (view.state() == ReplicaStatus.State.READY) {
            if (member.ready != run && member.beganNs != 0) {
                long tookMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - member.beganNs));
                member.startMs = member.startMs == 0 ? tookMs : Math.min(member.startMs, tookMs);
                member.beganNs = 0;
            }
            member.ready = run;
            supervisor().ready(run);
            endIfHaunted(member, run);
        } else if (view.state() == ReplicaStatus.State.DOWN) {
            endIfHung(member, run);
        }
    }

    /** Ends an engine that was ready once and answers no probe; until then its start has a limit of its own. */
    private void endIfHung(Member member, long run) {
        boolean concerns = member.run == run && member.ready == run && !member.watch.isHeld();
        if (member.suspected || !concerns || member.watch.view().state() != ReplicaStatus.State.DOWN) {
            return;
        }
        long hangMs = process(member.replica.pool().config()).hangMs();
        long silentMs = member.watch.silentMs();
        if (silentMs >= hangMs) {
            member.ready = 0;
            String error = member.watch.view().lastError();
            supervisor().unresponsive(run, "no good answer to a probe for " + silentMs + " ms: " + error);
            return;
        }
        member.suspected = true;
        loop.schedule(
                () -> {
                    member.suspected = false;
                    endIfHung(member, member.run);
                },
                Math.max(1, hangMs - silentMs),
                TimeUnit.MILLISECONDS);
    }

    /**
     * Ends an engine that decodes what nobody waits for, once it decodes nothing else: no wire has a call that ends just
     * those. A task that is placed in that instant is one that its engine fails.
     */
    private void endIfHaunted(Member member, long run) {
        boolean concerns = member.run == run && member.ready == run && !member.watch.isHeld();
        long occupiedMs = member.watch.occupiedMs();
        if (member.haunted || !concerns || occupiedMs == 0) {
            return;
        }
        long zombieMs = process(member.replica.pool().config()).zombieMs();
        if (occupiedMs >= zombieMs && member.watch.leased() == 0) {
            member.ready = 0;
            supervisor()
                    .unresponsive(
                            run,
                            "for " + occupiedMs + " ms it ran "
                                    + member.watch.view().occupied() + " decodes that are not of this daemon");
            return;
        }
        member.haunted = true;
        loop.schedule(
                () -> {
                    member.haunted = false;
                    endIfHaunted(member, member.run);
                },
                Math.max(IDLE_POLL_MS, zombieMs - occupiedMs),
                TimeUnit.MILLISECONDS);
    }

    /** The least that a replica's engine took to get ready when it was started but by a reload, ms; 0: it never was. */
    long startMs(Replica replica) {
        return member(replica).startMs;
    }

    /** Any thread: engines that are ended from now on, and those that are being ended, get no grace. */
    void hurry() {
        hurry = true;
        EngineSupervisor running = supervisor;
        if (running != null) {
            running.hurry();
        }
    }

    /** Ends every engine, within their graces. Not on an event loop. */
    @Override
    public void close() {
        EngineSupervisor running = supervisor;
        if (running != null) {
            running.close();
        }
    }
}
