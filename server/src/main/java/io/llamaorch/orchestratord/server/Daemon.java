package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.artifact.ArtifactPlane;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.cli.BuildInfo;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.config.Problem;
import io.llamaorch.orchestratord.server.control.AdminRoutes;
import io.llamaorch.orchestratord.server.control.ControlJson;
import io.llamaorch.orchestratord.server.control.ControlRoutes;
import io.llamaorch.orchestratord.server.control.PoolRoutes;
import io.llamaorch.orchestratord.server.control.Readiness;
import io.llamaorch.orchestratord.server.gpu.GpuMonitor;
import io.llamaorch.orchestratord.server.http.BodyPolicy;
import io.llamaorch.orchestratord.server.http.HttpFront;
import io.llamaorch.orchestratord.server.http.Route;
import io.llamaorch.orchestratord.server.http.Router;
import io.llamaorch.orchestratord.server.ledger.LedgerPlane;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.log.Logging;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.systemd.ListenSockets;
import io.llamaorch.orchestratord.server.systemd.ServiceNotifier;
import io.llamaorch.orchestratord.server.task.SessionRoutes;
import io.llamaorch.orchestratord.server.task.TaskPlane;
import io.llamaorch.orchestratord.server.task.TaskRoutes;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The running daemon: built from its configuration, listening, and stopped by a signal.
 *
 * <p>Start: loops, scheduler, probes, then the listening socket. Stop: not ready, lame duck, no new tasks, streams finish
 * until the deadline, the rest get a retriable {@code error}, sockets close, exit 0. A second signal ends the wait, a third
 * the process.
 */
public final class Daemon implements AutoCloseable {
    private static final int SCRAPES_WAITING_MAX = 4;
    private static final long POLL_MS = 10;
    /** Time for requests on connections that were accepted last, where the next process takes all later ones, ms. */
    private static final long LAST_REQUESTS_MS = 250;
    /** Time for the last bytes to reach readers after everything has ended, ms. */
    private static final long LAST_BYTES_MS = 2_000;

    private static final int EXIT_CONFIGURATION = 2;
    private static final int EXIT_DEFECT = 70;
    private static final int EXIT_THIRD_SIGNAL = 130;

    private final Config config;
    private final EventLog log;
    private final MultiThreadIoEventLoopGroup group;
    private final Metrics metrics;
    private final Diagnostics diagnostics;
    private final TaskPlane tasks;
    private final GpuMonitor gpus;
    private final ArtifactPlane artifacts;
    private final LedgerPlane ledger;
    private final Readiness readiness;
    private final HttpFront front;
    private final ThreadPoolExecutor renderer;
    private final List<Channel> listeners;
    private final boolean listenersPassed;
    private final StopRequest stop;
    private final AtomicInteger exitCode = new AtomicInteger();

    /**
     * Runs until a signal stops it.
     *
     * @param loaded a configuration without errors
     * @return the exit status of the process: 0 after a graceful stop
     */
    public static int run(ConfigLoader.Loaded loaded) {
        long beganNs = System.nanoTime();
        Config config = loaded.orThrow();
        try (Logging logging = Logging.start(config.log())) {
            EventLog log = logging.events();
            StopRequest stop = new StopRequest();
            installSignals(stop);
            log.daemonStarting(BuildInfo.version());
            loaded.warnings().forEach(warning -> log.warning("config_warning", warning.toString()));
            // Only now: the adapters load Netty, and Netty looks for a log.
            List<Problem> refused = EngineChecks.checked(loaded).errors();
            if (!refused.isEmpty()) {
                refused.forEach(problem -> log.warning("start_failed", problem.toString()));
                return EXIT_CONFIGURATION;
            }
            Daemon daemon;
            try {
                daemon = start(config, logging, loop -> loop, passedSockets(), stop);
            } catch (StartFailure e) {
                log.warning("start_failed", String.valueOf(e.getMessage()));
                return 1;
            }
            log.daemonListening(daemon.listening(), millisSince(beganNs));
            try (ServiceNotifier manager = ServiceNotifier.of(System.getenv(), pid(), log)) {
                ServiceReports reports = daemon.reportTo(manager);
                stop.await();
                daemon.readiness.beginDrain(); // at once, also where the manager is slow to listen
                reports.stopping(config);
                daemon.drain();
                daemon.close();
            }
            int code = daemon.exitCode.get();
            log.daemonStopped(code, millisSince(beganNs));
            return code;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        }
    }

    private static void installSignals(StopRequest stop) {
        AtomicInteger signals = new AtomicInteger();
        StopSignals.install(() -> {
            switch (signals.incrementAndGet()) {
                case 1 -> stop.ask();
                case 2 -> stop.hurry();
                default -> Runtime.getRuntime().halt(EXIT_THIRD_SIGNAL);
            }
        });
    }

    /** Why the daemon could not start; the message says what to do. */
    public static final class StartFailure extends Exception {
        private static final long serialVersionUID = 1;

        StartFailure(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Starts one that binds its own socket; for tests within their own process. */
    public static Daemon start(Config config, Logging logging, IntUnaryOperator engineLoopOf) throws StartFailure {
        return start(config, logging, engineLoopOf, List.of(), new StopRequest());
    }

    /**
     * Starts one.
     *
     * @param engineLoopOf see {@link TaskPlane}
     * @param passed descriptors of listening sockets to serve; empty: one is bound as configured
     */
    private static Daemon start(
            Config config, Logging logging, IntUnaryOperator engineLoopOf, List<Integer> passed, StopRequest stop)
            throws StartFailure {
        return start(config, logging, engineLoopOf, passed, stop, new HostDisk());
    }

    /**
     * One that binds its own socket, with a disk of its own for the ledger; for tests within their own process.
     *
     * @param ledgerDisk what the ledger is written to
     */
    public static Daemon start(Config config, Logging logging, IntUnaryOperator engineLoopOf, Disk ledgerDisk)
            throws StartFailure {
        return start(config, logging, engineLoopOf, List.of(), new StopRequest(), ledgerDisk);
    }

    private static Daemon start(
            Config config,
            Logging logging,
            IntUnaryOperator engineLoopOf,
            List<Integer> passed,
            StopRequest stop,
            Disk ledgerDisk)
            throws StartFailure {
        Metrics metrics = new Metrics(config.metrics().jvm());
        ArtifactPlane artifacts = null;
        LedgerPlane ledger = null;
        Diagnostics diagnostics = null;
        boolean started = false;
        try {
            artifacts = ArtifactPlane.open(config, metrics, logging.events());
            ledger = LedgerPlane.open(config, ledgerDisk, metrics, logging.events());
            diagnostics = Diagnostics.open(config, metrics, logging);
            Daemon daemon =
                    new Daemon(config, logging, engineLoopOf, metrics, artifacts, ledger, diagnostics, passed, stop);
            started = true;
            return daemon;
        } catch (FolderRefused e) {
            throw new StartFailure(String.valueOf(e.getMessage()), e);
        } finally {
            if (!started) {
                closeAll(ledger, artifacts);
                if (diagnostics != null) {
                    diagnostics.close();
                }
            }
        }
    }

    /** What was opened before the start failed. */
    private static void closeAll(@Nullable LedgerPlane ledger, @Nullable ArtifactPlane artifacts) {
        if (ledger != null) {
            ledger.close();
        }
        if (artifacts != null) {
            artifacts.close();
        }
    }

    private Daemon(
            Config config,
            Logging logging,
            IntUnaryOperator engineLoopOf,
            Metrics metrics,
            ArtifactPlane artifacts,
            LedgerPlane ledger,
            Diagnostics diagnostics,
            List<Integer> passed,
            StopRequest stop)
            throws StartFailure {
        this.config = config;
        this.metrics = metrics;
        this.diagnostics = diagnostics;
        this.stop = stop;
        this.artifacts = artifacts;
        this.ledger = ledger;
        this.log = logging.events();
        Transports transports = transports(config.transport());
        group = new MultiThreadIoEventLoopGroup(
                config.eventLoops(), new DefaultThreadFactory("loop", true), transports.handlers());
        EngineAdapters adapters = new EngineAdapters(
                config,
                (target, warning) ->
                        log.warning("engine_warning", target.poolId() + "/" + target.replicaId() + ": " + warning));
        tasks = new TaskPlane(
                config,
                eventLoops(group),
                adapters::of,
                engineLoopOf,
                ledger.ledger(),
                metrics,
                log,
                artifacts.transcripts(),
                this::onFatal);
        readiness = new Readiness(tasks.ring()::snapshot, tasks.ring()::alive, ledger::failure);
        renderer = renderer();
        EventLoop gpuLoop = eventLoops(group).get(0);
        gpus = new GpuMonitor(config, tasks.watches(), tasks.ring(), gpuLoop, metrics, log);
        ControlJson json = new ControlJson(
                config, BuildInfo.version(), tasks.pools(), tasks.watches(), tasks.control(), gpus::devices);
        ControlRoutes control = new ControlRoutes(tasks.ring()::snapshot, readiness, json, metrics, renderer);
        PoolRoutes pools = new PoolRoutes(tasks.pools(), tasks.ring()::snapshot, tasks.control(), json);
        List<LoopLag> lags = lags(group);
        AdminRoutes admin = new AdminRoutes(
                logging.levels(config.log().level(), gpuLoop),
                state -> adminState(json, lags, logging).write(state),
                renderer);
        front = new HttpFront(
                HttpSettings.limits(config.http()),
                routes(tasks.routes(), tasks.sessions(), artifacts, control, pools, admin, config),
                HttpSettings.keys(config.auth()),
                new HttpMetrics(metrics, log, diagnostics.access()));
        metrics.addSource(new DaemonGauges(tasks, front, logging, lags, artifacts));
        metrics.addSource(gpus.gauges());
        tasks.control().onEngineStarted(gpus::onEngineStarted);
        artifacts.onTranscriptForgotten(tasks::forgetOnRecord);
        tasks.start();
        artifacts.start(group.next(), log);
        listenersPassed = !passed.isEmpty();
        listeners = listen(transports, passed);
        startEngines();
        listeners.forEach(listener -> AcceptFailures.watch(listener, log, metrics));
        FileDescriptors.check(config, log);
        gpus.start();
        diagnostics.watch(lags, tasks);
    }

    private AdminState adminState(ControlJson json, List<LoopLag> lags, Logging logging) {
        return new AdminState(config, tasks, front, json, lags, logging, diagnostics.access());
    }

    /** The whole API at a glance. */
    private static Router routes(
            TaskRoutes tasks,
            SessionRoutes sessions,
            ArtifactPlane artifacts,
            ControlRoutes control,
            PoolRoutes pools,
            AdminRoutes admin,
            Config config) {
        Scope ops = config.auth().opsRequireKey() ? Scope.METRICS : Scope.NONE;
        return new Router(List.of(
                Route.post("/v1/tasks", Scope.DATA, BodyPolicy.JSON, tasks::submit),
                Route.get("/v1/tasks/{id}", Scope.DATA, tasks::status),
                Route.events("/v1/tasks/{id}/stream", Scope.DATA, tasks::stream),
                Route.post("/v1/tasks/{id}/cancel", Scope.DATA, BodyPolicy.NONE, tasks::cancel)
                        .forAnyAccept(),
                Route.get("/v1/sessions/{id}", Scope.DATA, sessions::get),
                Route.delete("/v1/sessions/{id}", Scope.DATA, sessions::delete),
                Route.post("/v1/artifacts", Scope.DATA, artifacts.bodies(), artifacts.routes()::put),
                Route.get("/v1/artifacts/{id}", Scope.DATA, artifacts.routes()::get)
                        .forAnyAccept(),
                Route.get("/v1/capabilities", Scope.DATA, control::capabilities),
                Route.get("/v1/pools", Scope.DATA, control::pools),
                Route.get("/v1/pools/{id}/health", Scope.DATA, pools::health),
                Route.post("/v1/pools/{id}/drain", Scope.CONTROL, BodyPolicy.JSON, pools::drain),
                Route.post("/v1/pools/{id}/undrain", Scope.CONTROL, BodyPolicy.NONE, pools::undrain),
                Route.post("/v1/pools/{id}/reload", Scope.CONTROL, BodyPolicy.JSON, pools::reload),
                Route.get("/v1/admin/state", Scope.CONTROL, admin::state),
                Route.get("/v1/admin/log-level", Scope.CONTROL, admin::logLevel),
                Route.post("/v1/admin/log-level", Scope.CONTROL, BodyPolicy.JSON, admin::setLogLevel),
                Route.get("/metrics", ops, control::metrics).forAnyAccept(),
                Route.get("/livez", Scope.NONE, control::livez).forAnyAccept(),
                Route.get("/readyz", Scope.NONE, control::readyz).forAnyAccept()));
    }

    private static Transports transports(Config.Transport wanted) {
        return switch (wanted) {
            case AUTO -> Transports.auto();
            case EPOLL -> Transports.epoll();
            case NIO -> Transports.nio();
        };
    }

    private static List<EventLoop> eventLoops(MultiThreadIoEventLoopGroup group) {
        List<EventLoop> loops = new ArrayList<>();
        for (EventExecutor executor : group) {
            loops.add((EventLoop) executor);
        }
        return loops;
    }

    private static List<LoopLag> lags(MultiThreadIoEventLoopGroup group) {
        List<EventLoop> loops = eventLoops(group);
        return IntStream.range(0, loops.size())
                .mapToObj(i -> new LoopLag(i, loops.get(i)))
                .toList();
    }

    private static ThreadPoolExecutor renderer() {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(SCRAPES_WAITING_MAX),
                new DefaultThreadFactory("metrics", true));
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    private List<Channel> listen(Transports transports, List<Integer> passed) throws StartFailure {
        try {
            return new Listeners(group, front, transports, log).open(config.listen(), passed);
        } catch (StartFailure e) {
            close();
            throw e;
        }
    }

    private void startEngines() throws StartFailure {
        stop.onHurry(tasks.control()::hurryEngines);
        if (stop.isAsked()) {
            return; // asked while it started: they would be ended at once
        }
        try {
            tasks.control().startEngines();
        } catch (IOException e) {
            close();
            throw new StartFailure(
                    "Cannot start engines: " + e.getMessage() + " (state_dir " + config.stateDir()
                            + " must be a folder that this user can write)",
                    e);
        }
    }

    private void onFatal(Throwable defect) {
        log.defect("scheduler", null, defect);
        exitCode.set(EXIT_DEFECT);
        stop.ask();
    }

    /** The address that is listened on; with the port that was found where 0 was configured. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listeners.get(0).localAddress();
    }

    /** The same as people and tools read it. */
    private String listening() {
        return Listeners.listening(config.listen(), listeners);
    }

    /** Reports to a service manager from now on. */
    public ServiceReports reportTo(ServiceNotifier manager) {
        ServiceReports reports = new ServiceReports(manager, tasks, eventLoops(group), listening());
        reports.serving();
        return reports;
    }

    private static long pid() {
        return ProcessHandle.current().pid();
    }

    private static List<Integer> passedSockets() throws StartFailure {
        try {
            return ListenSockets.passed(System.getenv(), pid());
        } catch (IOException e) {
            throw new StartFailure("Cannot serve the sockets of the service manager: " + e.getMessage(), e);
        }
    }

    /** Connections of clients that are open. */
    public int connections() {
        return front.connections();
    }

    /** The route table. */
    public Router router() {
        return front.router();
    }

    /** Tasks and what belongs to them. */
    public TaskPlane tasks() {
        return tasks;
    }

    /** What is counted. */
    public Metrics metrics() {
        return metrics;
    }

    /** The host's GPUs. */
    public GpuMonitor gpus() {
        return gpus;
    }

    /** Stops gracefully: returns when everything has ended, within the configured times. */
    public void drain() throws InterruptedException {
        Config.Shutdown shutdown = config.shutdown();
        readiness.beginDrain();
        if (tasks.ring().alive()) {
            log.daemonDraining("signal", tasks.openTasks(), shutdown.drainDeadlineMs());
            await(shutdown.lameDuckMs(), this::mustHurry);
            tasks.beginDrain();
            front.drain();
            await(shutdown.drainDeadlineMs(), () -> mustHurry() || tasks.drained());
        } else {
            log.daemonDraining("defect", tasks.openTasks(), 0);
            front.drain();
        }
        if (!tasks.drained()) {
            tasks.failAll(ApiError.of(
                    ErrorCode.WORKER_RESET, "The daemon stopped before the task ended; submit it again elsewhere."));
        }
        await(LAST_BYTES_MS, () -> (tasks.drained() || !tasks.ring().alive()) && tasks.openReaders() == 0);
        if (listenersPassed) {
            listeners.forEach(Channel::close);
            await(LAST_REQUESTS_MS, () -> front.connections() == 0);
        }
    }

    /** A second signal, or a scheduler that nothing more can be expected of. */
    private boolean mustHurry() {
        return stop.isHurried() || !tasks.ring().alive();
    }

    private static boolean await(long ms, BooleanSupplier condition) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MS);
        }
        return true;
    }

    /** Closes every socket and ends the threads; at once. */
    @Override
    @SuppressWarnings("ConstantConditions") // also called while the listener is not there yet
    public void close() {
        gpus.close();
        tasks.stop();
        tasks.control().stopEngines();
        renderer.shutdown();
        artifacts.closeTranscripts();
        for (EventLoop loop : eventLoops(group)) {
            loop.submit(() -> {}).awaitUninterruptibly(1, TimeUnit.SECONDS); // what came of them is told to the ledger
        }
        ledger.close();
        artifacts.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        diagnostics.close(); // last: connections that end now are in the access log too
    }

    private static long millisSince(long ns) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - ns);
    }
}
