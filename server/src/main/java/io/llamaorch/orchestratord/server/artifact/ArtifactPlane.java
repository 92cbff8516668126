package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.GuardedFolder;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import io.llamaorch.orchestratord.artifacts.store.ArtifactSettings;
import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptSettings;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.http.BodyPolicy;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.util.concurrent.EventExecutor;
import java.security.SecureRandom;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon keeps on disk: takes {@code state_dir} into use, opens the artifact store and the transcripts, has
 * artifacts collected at a period.
 *
 * <p>{@link #open} and {@link #close} block: on the thread that starts and stops the daemon.
 */
public final class ArtifactPlane implements AutoCloseable {
    /** Number in {@code state_dir/FORMAT}. */
    private static final int STATE_FORMAT = 1;

    private final Config.Artifacts config;
    private final GuardedFolder stateFolder;
    private final ArtifactStore store;
    private final @Nullable TranscriptLog transcripts;
    private final TranscriptSigns transcriptSigns;
    private final ArtifactRoutes routes;
    private final BodyPolicy bodies;

    /** Transcripts that wait for their writer, by number; their bytes are what matters. */
    private static final int TRANSCRIPTS_WAITING_MAX = 1 << 16;

    private ArtifactPlane(
            Config config,
            GuardedFolder stateFolder,
            ArtifactStore store,
            @Nullable TranscriptLog transcripts,
            TranscriptSigns transcriptSigns) {
        this.transcripts = transcripts;
        this.transcriptSigns = transcriptSigns;
        this.config = config.artifacts();
        this.stateFolder = stateFolder;
        this.store = store;
        this.routes = new ArtifactRoutes(store, transcripts, config.streams().readerStallMs());
        Set<String> types = Set.copyOf(config.artifacts().mediaTypes());
        this.bodies = BodyPolicy.bytes(
                config.artifacts().blobBytes(),
                types::contains,
                new UploadRoom(config.artifacts().uploadBytes(), store::waitMs));
    }

    /**
     * Opens the folders.
     *
     * @throws FolderRefused where one of them cannot or must not be used
     */
    public static ArtifactPlane open(Config config, Metrics metrics, EventLog log) throws FolderRefused {
        Disk disk = new HostDisk();
        GuardedFolder stateFolder = GuardedFolder.open(disk, config.stateDir(), "state_dir", STATE_FORMAT);
        try {
            ArtifactStore store = ArtifactStore.open(
                    settings(config.artifacts()), disk, System::currentTimeMillis, new ArtifactSigns(metrics, log));
            TranscriptSigns signs = new TranscriptSigns(metrics, log);
            try {
                return new ArtifactPlane(
                        config, stateFolder, store, transcripts(config.transcripts(), disk, signs), signs);
            } catch (FolderRefused e) {
                store.close();
                throw e;
            }
        } catch (FolderRefused e) {
            stateFolder.close();
            throw e;
        }
    }

    private static @Nullable TranscriptLog transcripts(Config.Transcripts config, Disk disk, TranscriptSigns signs)
            throws FolderRefused {
        if (!config.enabled()) {
            return null;
        }
        TranscriptSettings settings = new TranscriptSettings(
                config.root(),
                config.maxBytes(),
                config.maxCount(),
                config.retentionMs(),
                config.segmentBytes(),
                TRANSCRIPTS_WAITING_MAX,
                config.queueBytes(),
                config.threads());
        return TranscriptLog.open(settings, disk, System::currentTimeMillis, new SecureRandom()::nextLong, signs);
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

    /** The transcripts; null where they do not go to disk. */
    public @Nullable TranscriptLog transcripts() {
        return transcripts;
    }

    /**
     * Says who is told of tasks whose transcripts are kept no longer; before {@link #start}.
     *
     * @param listener on the transcripts' writer; must not block
     */
    public void onTranscriptForgotten(Consumer<UUID> listener) {
        transcriptSigns.tellForgotten(listener);
    }

    /** Has transcripts written and the store collected from now on. */
    public void start(EventExecutor timer, EventLog log) {
        TranscriptLog disk = transcripts;
        if (disk != null) {
            disk.start();
        }
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

    /** Writes the transcripts that wait; none is taken or read any more. */
    public void closeTranscripts() {
        TranscriptLog disk = transcripts;
        if (disk != null) {
            disk.close();
        }
    }

    /** Finishes what is being written, gives the folders free. */
    @Override
    public void close() {
        closeTranscripts();
        store.close();
        stateFolder.close();
    }
}
