package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.GuardedFolder;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.artifacts.store.ArtifactSettings;
import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.http.BodyPolicy;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.util.concurrent.EventExecutor;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What the daemon keeps on disk: takes {@code state_dir} into use, opens the artifact store, has it collected at a period.
 *
 * <p>{@link #open} and {@link #close} block: on the thread that starts and stops the daemon.
 */
public final class ArtifactPlane implements AutoCloseable {
    /** Number in {@code state_dir/FORMAT}. */
    private static final int STATE_FORMAT = 1;

    private final Config.Artifacts config;
    private final GuardedFolder stateFolder;
    private final ArtifactStore store;
    private final ArtifactRoutes routes;
    private final BodyPolicy bodies;

    private ArtifactPlane(Config config, GuardedFolder stateFolder, ArtifactStore store) {
        this.config = config.artifacts();
        this.stateFolder = stateFolder;
        this.store = store;
        this.routes = new ArtifactRoutes(store, config.streams().readerStallMs());
        Set<String> types = Set.copyOf(config.artifacts().mediaTypes());
        this.bodies = BodyPolicy.bytes(
                config.artifacts().blobBytes(),
                types::contains,
                new UploadRoom(config.artifacts().uploadBytes(), store::waitMs));
    }

    /**
     * Opens both folders.
     *
     * @throws FolderRefused where one of them cannot or must not be used
     */
    public static ArtifactPlane open(Config config, Metrics metrics, EventLog log) throws FolderRefused {
        Disk disk = new HostDisk();
        GuardedFolder stateFolder = GuardedFolder.open(disk, config.stateDir(), "state_dir", STATE_FORMAT);
        try {
            ArtifactStore store = ArtifactStore.open(
                    settings(config.artifacts()), disk, System::currentTimeMillis, new ArtifactSigns(metrics, log));
            return new ArtifactPlane(config, stateFolder, store);
        } catch (FolderRefused e) {
            stateFolder.close();
            throw e;
        }
    }

    private static ArtifactSettings settings(Config.Artifacts config) {
        return new ArtifactSettings(
                config.root(),
                config.maxBytes(),
                config.maxCount(),
                config.keyBytes(),
                config.keyCount(),
                config.documentBytes(),
                config.retentionMs(),
                config.threads(),
                config.queue(),
                config.uploadBytes(),
                config.reads());
    }

    /** Has the store collected from now on. */
    public void start(EventExecutor timer, EventLog log) {
        timer.scheduleWithFixedDelay(
                () -> store.collect(removed -> {
                    if (removed > 0) {
                        log.artifactsCollected(removed);
                    }
                }),
                config.gcPeriodMs(),
                config.gcPeriodMs(),
                TimeUnit.MILLISECONDS);
    }

    /** The store. */
    public ArtifactStore store() {
        return store;
    }

    /** The routes. */
    public ArtifactRoutes routes() {
        return routes;
    }

    /** What becomes of an upload's body. */
    public BodyPolicy bodies() {
        return bodies;
    }

    /** Finishes what is being written, gives the folders free. */
    @Override
    public void close() {
        store.close();
        stateFolder.close();
    }
}
