package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.artifacts.store.Digest;
import io.llamaorch.orchestratord.artifacts.store.SliceReader;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** What {@code GET /v1/artifacts/{id}} answers with, wherever it is kept. All but {@link #open} from memory. */
interface ServedArtifact {
    /** Of its content. */
    Digest digest();

    /** Media type of its content. */
    String mediaType();

    /** Length of its content. */
    long bytes();

    /** What it is, in one word. */
    String kind();

    /** Words that its maker gave it. */
    List<String> tags();

    /** What it comes from; null where nothing was said. */
    @Nullable
    Digest parent();

    /** Opens its content, verified; told on another thread: a reader, or why there is none. */
    void open(BiConsumer<@Nullable SliceReader, @Nullable ApiError> answer);
}
