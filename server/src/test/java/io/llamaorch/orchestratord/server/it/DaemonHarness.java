package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.server.Daemon;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.ConfigLoader;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.log.Logging;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;

/** One daemon in this process, on a free port of the loopback address. */
final class DaemonHarness implements AutoCloseable {
    /** Model of every pool that {@link #mock} and {@link #llama} make. */
    static final String MODEL = "hf:test/model.gguf";

    private static final Logging LOGGING =
            Logging.start(new Config.Log(Config.LogLevel.OFF, Config.LogFormat.JSON, 1024, null));

    private final Daemon daemon;

    private DaemonHarness(Daemon daemon) {
        this.daemon = daemon;
    }

    /**
     * Starts one with a pool of the built-in engine.
     *
     * @param speed query of the {@code mock:} URL, such as {@code tokens_per_s=50}
     * @param sets overrides, such as {@code pools.0.queue.capacity=2}
     */
    static DaemonHarness mock(String speed, int slots, String... sets) {
        return start(
                """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: mock
                    model: %s
                    ctx: 200000
                    replicas: [{id: r0, url: "mock:?%s", slots: %d}]
                """
                        .formatted(MODEL, speed, slots),
                loop -> loop,
                sets);
    }

    /** Starts one with a pool of one llama-server. */
    static DaemonHarness llama(int port, int slots, String... sets) {
        return start(
                """
                listen: 127.0.0.1:0
                pools:
                  - id: default
                    engine: llamacpp
                    model: %s
                    ctx: 4096
                    replicas: [{id: r0, url: "http://127.0.0.1:%d", slots: %d}]
                """
                        .formatted(MODEL, port, slots),
                loop -> loop,
                sets);
    }

    /**
     * Starts one with any configuration, and waits until a pool is ready.
     *
     * @param engineLoopOf which loop makes the engine calls of which loop's streams
     */
    static DaemonHarness start(String yaml, IntUnaryOperator engineLoopOf, String... sets) {
        return start(yaml, engineLoopOf, new HostDisk(), sets);
    }

    /** The same with a disk of its own for the ledger. */
    static DaemonHarness start(String yaml, IntUnaryOperator engineLoopOf, Disk ledgerDisk, String... sets) {
        List<String> all = new ArrayList<>(List.of("streams.retained_bytes=32MiB", "state_dir=" + newStateDir()));
        all.addAll(List.of(sets));
        ConfigLoader.Loaded loaded = ConfigLoader.parse(yaml, "test.yaml", Map.of(), all);
        Config config = loaded.config();
        if (config == null) {
            throw new IllegalArgumentException(loaded.errors().toString());
        }
        try {
            DaemonHarness harness = new DaemonHarness(Daemon.start(config, LOGGING, engineLoopOf, ledgerDisk));
            harness.await(() ->
                    harness.daemon.tasks().ring().snapshot().pools().stream().anyMatch(pool -> pool.slots() > 0));
            return harness;
        } catch (Daemon.StartFailure e) {
            throw new IllegalStateException(e);
        }
    }

    /** A folder of this JVM's own, for what a daemon keeps; the system's temporary folder is cleaned by the system. */
    private static Path newStateDir() {
        try {
            Path folder = Files.createTempDirectory("orchestratord-it");
            folder.toFile().deleteOnExit();
            return folder.resolve("state");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A log that nobody reads. */
    static EventLog events() {
        return LOGGING.events();
    }

    Daemon daemon() {
        return daemon;
    }

    int port() {
        return daemon.address().getPort();
    }

    /** A client with a connection of its own. */
    TestClient client() {
        return new TestClient(port());
    }

    /** Waits for what another thread brings about, at most 20 s. */
    void await(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new AssertionError(
                        "not within 20 s; snapshot: " + daemon.tasks().ring().snapshot());
            }
            Thread.onSpinWait();
        }
    }

    /** Waits until no task is open and every slot has been given back. */
    void awaitQuiet() {
        await(() -> daemon.tasks().openTasks() == 0
                && daemon.tasks().ring().snapshot().pools().stream().allMatch(pool -> pool.leases() == 0));
    }

    @Override
    public void close() {
        daemon.close();
    }
}
