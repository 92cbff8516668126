package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * All references in memory: who keeps what, quotas, children, and who is at work on which digest.
 *
 * <pre>
 *   lookup     any thread, event loops too: concurrent maps, never waits
 *   the rest   store threads, under the monitor: short, and never across I/O
 *   claim      a digest is worked on by one thread at a time: claim() waits for that, tryClaim() does not
 *   order      claim, then reserve or beginRemoval, then I/O, then commit, undo, or finish; then release
 * </pre>
 *
 * <p>A put reserves its room and its parent before it writes, a removal checks and hides in one step: so neither can pull
 * away what the other relies on (ART-31).
 */
final class RefIndex {
    private record Key(String owner, Digest digest) {}

    /** What one owner, or all, keep. */
    private static final class Usage {
        private long bytes;
        private int count;

        void add(long more, int references) {
            bytes += more;
            count += references;
        }
    }

    private final ArtifactSettings limits;
    private final ConcurrentHashMap<Key, ArtifactRef> refs = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Digest, List<ArtifactRef>> byDigest = new ConcurrentHashMap<>(); // immutable lists
    private final Set<Digest> damaged = ConcurrentHashMap.newKeySet();

    // Guarded by this.
    private final Map<Key, Integer> children = new HashMap<>();
    private final Map<String, Usage> owners = new HashMap<>();
    private final Usage all = new Usage();
    private final Set<Digest> claimed = new HashSet<>();

    private final AtomicLong blobBytes = new AtomicLong();
    private volatile int count;

    RefIndex(ArtifactSettings limits) {
        this.limits = limits;
    }

    /** The owner's reference; where {@code anyOwner}, else the oldest of another owner; or null. Any thread. */
    @Nullable
    ArtifactRef lookup(String owner, Digest digest, boolean anyOwner) {
        ArtifactRef own = refs.get(new Key(owner, digest));
        if (own != null || !anyOwner) {
            return own;
        }
        List<ArtifactRef> others = byDigest.get(digest);
        return others == null ? null : others.get(0);
    }

    boolean isDamaged(Digest digest) {
        return damaged.contains(digest);
    }

    void damaged(Digest digest) {
        damaged.add(digest);
    }

    void sound(Digest digest) {
        damaged.remove(digest);
    }

    boolean isReferenced(Digest digest) {
        return byDigest.containsKey(digest);
    }

    /** Bytes of all distinct artifacts. Any thread. */
    long blobBytes() {
        return blobBytes.get();
    }

    /** References. Any thread. */
    int count() {
        return count;
    }

    /** Waits until nobody else is at work on the digest. */
    synchronized void claim(Digest digest) throws InterruptedException {
        while (!claimed.add(digest)) {
            wait();
        }
    }

    synchronized boolean tryClaim(Digest digest) {
        return claimed.add(digest);
    }

    synchronized void release(Digest digest) {
        claimed.remove(digest);
        notifyAll();
    }

    /** Takes a reference that was found at start. */
    synchronized void load(ArtifactRef ref) {
        usage(ref.owner()).add(ref.bytes(), 1);
        all.add(ref.bytes(), 1);
        hold(ref.owner(), ref.parent(), 1);
        show(ref);
    }

    /** Takes room and the parent for a reference that is about to be written; or says why not. The digest is claimed. */
    synchronized @Nullable ApiError reserve(String owner, @Nullable Digest parent, long bytes) {
        if (parent != null && !refs.containsKey(new Key(owner, parent))) {
            return ApiError.of(
                    ErrorCode.INVALID_PARAMS,
                    "parent names no artifact of this key; store it first.",
                    "/parent",
                    parent.id());
        }
        Usage own = usage(owner);
        ApiError full = null;
        if (own.count >= limits.keyCountMax()) {
            full = full("This key keeps " + own.count + " artifacts, which is its limit", "key_count");
        } else if (own.bytes + bytes > limits.keyBytesMax()) {
            full = full(
                    "This key keeps " + own.bytes + " bytes, and " + bytes + " more exceed its " + limits.keyBytesMax(),
                    "key_bytes");
        } else if (all.count >= limits.countMax()) {
            full = full("The store keeps all the " + limits.countMax() + " artifacts that it may", "max_count");
        } else if (all.bytes + bytes > limits.bytesMax()) {
            full = full(
                    bytes + " bytes more exceed the " + limits.bytesMax() + " that the store may keep", "max_bytes");
        }
        if (full != null) {
            forget(owner);
            return full;
        }
        own.add(bytes, 1);
        all.add(bytes, 1);
        hold(owner, parent, 1);
        return null;
    }

    private static ApiError full(String what, String label) {
        return ApiError.of(ErrorCode.STORAGE_FULL, what + "; keep less, or wait until old ones are collected.")
                .by(label);
    }

    /** Gives back what {@link #reserve} took. */
    synchronized void undo(String owner, @Nullable Digest parent, long bytes) {
        usage(owner).add(-bytes, -1);
        all.add(-bytes, -1);
        hold(owner, parent, -1);
        forget(owner);
    }

    /** The reserved reference is durable. */
    synchronized void commit(ArtifactRef ref) {
        show(ref);
    }

    /** Another description of a reference that is there. The digest is claimed. */
    synchronized void replace(ArtifactRef before, ArtifactRef after) {
        hide(before);
        show(after);
    }

    /** References that a removal may begin with. */
    synchronized List<ArtifactRef> candidates(long nowMs) {
        List<ArtifactRef> found = new ArrayList<>();
        for (ArtifactRef ref : refs.values()) {
            if (removable(ref, nowMs)) {
                found.add(ref);
            }
        }
        return found;
    }

    private boolean removable(ArtifactRef ref, long nowMs) {
        return limits.retentionMs() >= 0
                && !ref.pinned()
                && nowMs - ref.createdMs() >= limits.retentionMs()
                && !children.containsKey(new Key(ref.owner(), ref.digest()));
    }

    /** Hides the reference where it is still the one, and may go: from here on it is nobody's parent. It is claimed. */
    synchronized boolean beginRemoval(ArtifactRef ref, long nowMs) {
        boolean goes = ref.equals(refs.get(new Key(ref.owner(), ref.digest()))) && removable(ref, nowMs);
        if (goes) {
            hide(ref);
        }
        return goes;
    }

    /** It is still on the disk: all is as it was. */
    synchronized void cancelRemoval(ArtifactRef ref) {
        show(ref);
    }

    /** It is gone; gives back the parent where that may go now too. */
    synchronized @Nullable ArtifactRef finishRemoval(ArtifactRef ref, long nowMs) {
        undo(ref.owner(), ref.parent(), ref.bytes());
        Digest parent = ref.parent();
        ArtifactRef above = parent == null ? null : refs.get(new Key(ref.owner(), parent));
        return above != null && removable(above, nowMs) ? above : null;
    }

    private Usage usage(String owner) {
        return owners.computeIfAbsent(owner, key -> new Usage());
    }

    private void forget(String owner) {
        Usage usage = owners.get(owner);
        if (usage != null && usage.count == 0) {
            owners.remove(owner);
        }
    }

    private void hold(String owner, @Nullable Digest parent, int change) {
        if (parent != null) {
            children.compute(new Key(owner, parent), (key, now) -> {
                int left = (now == null ? 0 : now) + change;
                return left == 0 ? null : left;
            });
        }
    }

    private void show(ArtifactRef ref) {
        refs.put(new Key(ref.owner(), ref.digest()), ref);
        List<ArtifactRef> same = new ArrayList<>(byDigest.getOrDefault(ref.digest(), List.of()));
        if (same.isEmpty()) {
            blobBytes.addAndGet(ref.bytes());
        }
        same.add(ref);
        byDigest.put(ref.digest(), List.copyOf(same));
        count = refs.size();
    }

    private void hide(ArtifactRef ref) {
        refs.remove(new Key(ref.owner(), ref.digest()));
        List<ArtifactRef> same = new ArrayList<>(byDigest.getOrDefault(ref.digest(), List.of()));
        same.remove(ref);
        if (same.isEmpty()) {
            byDigest.remove(ref.digest());
            blobBytes.addAndGet(-ref.bytes());
            damaged.remove(ref.digest());
        } else {
            byDigest.put(ref.digest(), List.copyOf(same));
        }
        count = refs.size();
    }
}
