package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptEvents;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * What happens to transcripts, as metrics and lines of the log. On the log's threads and on event loops; never blocks. A
 * disk that fails again and again is logged once, until it has taken a transcript.
 */
final class TranscriptSigns implements TranscriptEvents {
    private final Metrics metrics;
    private final EventLog log;
    private final AtomicBoolean failing = new AtomicBoolean();
    private volatile Consumer<UUID> forgotten = id -> {};

    TranscriptSigns(Metrics metrics, EventLog log) {
        this.metrics = metrics;
        this.log = log;
    }

    /** @param listener told of each task whose transcript is kept no longer; must not block */
    void tellForgotten(Consumer<UUID> listener) {
        forgotten = listener;
    }

    @Override
    public void onStored(ArchivedTask task) {
        metrics.transcriptsStored().inc();
        failing.setRelease(false);
    }

    @Override
    public void onRefused() {
        metrics.transcriptsRefused().inc();
    }

    @Override
    public void onForgotten(ArchivedTask task) {
        metrics.transcriptsForgotten().inc();
        forgotten.accept(task.id());
    }

    @Override
    public void onCorrupt(UUID task) {
        metrics.transcriptsCorrupt().inc();
        log.transcriptCorrupt(task.toString());
    }

    @Override
    public void onDiskFailure(String operation, Throwable failure, boolean isLast) {
        metrics.transcriptDiskFailures().inc();
        if (!failing.getAndSet(true) || isLast) {
            log.transcriptDiskFailure(operation, failure, isLast);
        }
    }

    @Override
    public void onDefect(Throwable defect) {
        log.defect("transcripts", null, defect);
    }
}
