package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.ArtifactEvents;
import io.llamaorch.orchestratord.artifacts.store.ArtifactRef;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import java.util.Locale;

/** What happens in the store, as metrics and lines of the log. On the store's threads; never blocks. */
final class ArtifactSigns implements ArtifactEvents {
    private final Metrics metrics;
    private final EventLog log;

    ArtifactSigns(Metrics metrics, EventLog log) {
        this.metrics = metrics;
        this.log = log;
    }

    @Override
    public void onStored(ArtifactRef ref) {
        log.artifactStored(ref.owner(), ref.kind().wireName(), ref.digest().id(), ref.bytes());
    }

    @Override
    public void onRefused(ApiError error) {
        String label = error.policyLabel();
        metrics.artifactRefusals(label == null ? error.code().name().toLowerCase(Locale.ROOT) : label)
                .inc();
    }

    @Override
    public void onRemoved(Removed why, long bytes) {
        metrics.artifactsRemoved(why.label()).inc();
    }

    @Override
    public void onCorrupt(Digest digest) {
        metrics.artifactsCorrupt().inc();
        log.artifactCorrupt(digest.id());
    }

    @Override
    public void onDiskFailure(String operation, Throwable failure) {
        metrics.artifactDiskFailures().inc();
        log.artifactDiskFailure(operation, failure);
    }

    @Override
    public void onDefect(Throwable defect) {
        log.defect("artifacts", null, defect);
    }
}
