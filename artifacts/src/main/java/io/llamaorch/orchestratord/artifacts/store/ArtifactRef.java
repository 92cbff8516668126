package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One key's hold on an artifact, and how it describes it.
 *
 * @param digest of the bytes
 * @param owner who keeps it, such as {@code key:ops}
 * @param kind what it is
 * @param mediaType visible ASCII and spaces
 * @param bytes length of the bytes
 * @param createdMs when it was first stored by this owner, ms since the epoch
 * @param tags in the order given
 * @param parent the artifact of the same owner that it comes from, or null
 * @param pinned whether it is kept whatever its age
 */
public record ArtifactRef(
        Digest digest,
        String owner,
        ArtifactKind kind,
        String mediaType,
        long bytes,
        long createdMs,
        List<String> tags,
        @Nullable Digest parent,
        boolean pinned) {

    ArtifactRef pinned(boolean value) {
        return new ArtifactRef(digest, owner, kind, mediaType, bytes, createdMs, tags, parent, value);
    }
}
