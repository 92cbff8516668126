package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.ArtifactRef;
import io.llamaorch.orchestratord.artifacts.store.ArtifactStore;
import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One that a client has stored. */
record StoredArtifact(ArtifactStore store, ArtifactRef ref) implements ServedArtifact {
    @Override
    public Digest digest() {
        return ref.digest();
    }

    @Override
    public String mediaType() {
        return ref.mediaType();
    }

    @Override
    public long bytes() {
        return ref.bytes();
    }

    @Override
    public String kind() {
        return ref.kind().wireName();
    }

    @Override
    public List<String> tags() {
        return ref.tags();
    }

    @Override
    public @Nullable Digest parent() {
        return ref.parent();
    }

    @Override
    public void open(BiConsumer<@Nullable SliceReader, @Nullable ApiError> answer) {
        store.open(ref, opened -> answer.accept(opened.reader(), opened.error()));
    }
}
