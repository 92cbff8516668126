package io.llamaorch.orchestratord.artifacts.store;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Removes references that are old and unused, from the leaves up, and bytes without a reference (ART-30, ART-31).
 *
 * <p>What is being put at the moment is left for the next run. One run at a time, on a store thread.
 */
final class Collector {
    private record Orphan(Digest digest, long bytes) {}

    private final RefIndex index;
    private final BlobStore blobs;
    private final RefFolder refs;
    private final ArtifactEvents events;

    Collector(RefIndex index, BlobStore blobs, RefFolder refs, ArtifactEvents events) {
        this.index = index;
        this.blobs = blobs;
        this.refs = refs;
        this.events = events;
    }

    /** How many references and orphans went. */
    int collect(long nowMs) {
        int removed = 0;
        ArrayDeque<ArtifactRef> open = new ArrayDeque<>(index.candidates(nowMs));
        while (!open.isEmpty()) {
            ArtifactRef ref = open.remove();
            if (!index.tryClaim(ref.digest())) {
                continue;
            }
            try {
                removed += remove(ref, nowMs, open) ? 1 : 0;
            } finally {
                index.release(ref.digest());
            }
        }
        return removed + orphans();
    }

    private boolean remove(ArtifactRef ref, long nowMs, ArrayDeque<ArtifactRef> open) {
        if (!index.beginRemoval(ref, nowMs)) {
            return false;
        }
        try {
            refs.delete(ref); // durable before the parent may go: a crash never leaves a child without it
        } catch (IOException e) {
            index.cancelRemoval(ref);
            events.onDiskFailure("remove", e);
            return false;
        }
        ArtifactRef parent = index.finishRemoval(ref, nowMs);
        if (parent != null) {
            open.add(parent);
        }
        events.onRemoved(ArtifactEvents.Removed.AGE, ref.bytes());
        if (!index.isReferenced(ref.digest())) {
            try {
                blobs.delete(ref.digest());
            } catch (IOException e) {
                events.onDiskFailure("remove", e); // an orphan now, for the next run
            }
        }
        return true;
    }

    private int orphans() {
        List<Orphan> found = new ArrayList<>();
        int removed = 0;
        try {
            blobs.list((digest, bytes) -> {
                if (!index.isReferenced(digest)) {
                    found.add(new Orphan(digest, bytes));
                }
            });
        } catch (IOException e) {
            events.onDiskFailure("list", e);
        }
        for (Orphan orphan : found) {
            if (!index.tryClaim(orphan.digest())) {
                continue;
            }
            try {
                if (!index.isReferenced(orphan.digest()) && blobs.delete(orphan.digest())) {
                    removed++;
                    events.onRemoved(ArtifactEvents.Removed.ORPHAN, orphan.bytes());
                }
            } catch (IOException e) {
                events.onDiskFailure("remove", e);
            } finally {
                index.release(orphan.digest());
            }
        }
        return removed;
    }
}
