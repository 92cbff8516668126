package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptReads;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The transcript of a task that is over. */
record StoredTranscript(TranscriptLog log, ArchivedTask task) implements ServedArtifact {
    private static final String MEDIA_TYPE = "text/event-stream";
    private static final String KIND = "transcript";

    @Override
    public Digest digest() {
        return task.transcript().digest();
    }

    @Override
    public String mediaType() {
        return MEDIA_TYPE;
    }

    @Override
    public long bytes() {
        return task.transcript().contentBytes();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public List<String> tags() {
        return List.of();
    }

    @Override
    public @Nullable Digest parent() {
        return null;
    }

    @Override
    public void open(BiConsumer<@Nullable SliceReader, @Nullable ApiError> answer) {
        log.openContent(
                task.id(), task.transcript(), content -> answer.accept(content.reader(), error(content.failure())));
    }

    private static @Nullable ApiError error(TranscriptReads.@Nullable Failure failure) {
        if (failure == null) {
            return null;
        }
        return switch (failure) {
            case GONE -> ArtifactStore.notFound();
            case CORRUPT ->
                ApiError.of(ErrorCode.NOT_FOUND, "The transcript's bytes were damaged on the disk and cannot be read.");
            case DISK, CLOSED ->
                ApiError.of(ErrorCode.INTERNAL, "The transcript cannot be read from the disk; the log says more.");
        };
    }
}
