package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.DurableFiles;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.disk.GuardedFolder;
import io.llamaorch.orchestratord.artifacts.json.MalformedJson;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Artifacts on disk: stored durably before it is answered, verified before it is read, removed when old and unused. The
 * rules are those of {@code contracts/specs/artifacts.md}.
 *
 * <pre>
 *   put, putDocument, open, pin   any thread; never wait; the answer comes on a store thread, exactly once
 *   lookup                        any thread; never waits; from memory
 *   collect                       any thread; runs on a store thread, one at a time
 *   full queue                    answered at once on the caller's thread, 429 with a time from measured work
 *   bytes given to put            the store's until the answer
 * </pre>
 */
public final class ArtifactStore implements AutoCloseable {
    /** Number in the root's {@code FORMAT}. */
    public static final int FORMAT = 1;

    private static final long STOP_WAIT_MS = 5_000;

    /**
     * What came of a put or a pin: a reference, or why not.
     *
     * @param ref what is kept now, null where refused
     * @param replay whether the owner had it before
     * @param error why not, null where kept
     */
    public record Kept(@Nullable ArtifactRef ref, boolean replay, @Nullable ApiError error) {
        private static Kept refused(ApiError error) {
            return new Kept(null, false, error);
        }
    }

    /**
     * What came of an open: bytes, or why not.
     *
     * @param reader verified bytes, which the caller must close; null where refused
     * @param error why not, null where there is a reader
     */
    public record Opened(@Nullable ArtifactReader reader, @Nullable ApiError error) {}

    private final ArtifactSettings settings;
    private final Disk disk;
    private final GuardedFolder folder;
    private final BlobStore blobs;
    private final RefFolder refs;
    private final RefIndex index;
    private final StoreThreads threads;
    private final LongSupplier nowMs;
    private final ArtifactEvents events;
    private final AtomicInteger reads = new AtomicInteger();
    private final Collector collector;

    private ArtifactStore(
            ArtifactSettings settings,
            Disk disk,
            GuardedFolder folder,
            BlobStore blobs,
            RefFolder refs,
            LongSupplier nowMs,
            ArtifactEvents events) {
        this.settings = settings;
        this.disk = disk;
        this.folder = folder;
        this.blobs = blobs;
        this.refs = refs;
        this.index = new RefIndex(settings);
        this.nowMs = nowMs;
        this.events = events;
        this.collector = new Collector(index, blobs, refs, events);
        this.threads = new StoreThreads(settings, events::onDefect);
    }

    /**
     * Opens the store: takes its root into use, removes what a crash left, reads every reference. Blocks.
     *
     * @param nowMs wall clock, ms since the epoch
     * @throws FolderRefused where the root cannot or must not be used; it is as it was
     */
    public static ArtifactStore open(ArtifactSettings settings, Disk disk, LongSupplier nowMs, ArtifactEvents events)
            throws FolderRefused {
        GuardedFolder folder = GuardedFolder.open(disk, settings.root(), "artifacts.root", FORMAT);
        try {
            disk.createFolder(settings.root().resolve("tmp"));
            DurableFiles files = new DurableFiles(disk, settings.root().resolve("tmp"));
            files.clean();
            BlobStore blobs = FileBlobStore.open(disk, files, settings.root());
            RefFolder refs = RefFolder.open(disk, files, settings.root());
            ArtifactStore store = new ArtifactStore(settings, disk, folder, blobs, refs, nowMs, events);
            store.load();
            return store;
        } catch (IOException e) {
            folder.close();
            throw new FolderRefused(
                    "cannot read the artifact store in " + settings.root() + " (key: artifacts.root): "
                            + e.getMessage(),
                    e);
        }
    }

    private void load() throws IOException {
        Map<Digest, Long> there = new HashMap<>();
        blobs.list(there::put);
        refs.load(
                ref -> {
                    index.load(ref);
                    Long bytes = there.get(ref.digest());
                    if (bytes == null || bytes != ref.bytes()) {
                        index.damaged(ref.digest());
                        events.onCorrupt(ref.digest());
                    }
                },
                name -> events.onDiskFailure("read_reference", new IOException("a damaged reference was set aside")));
    }

    /** The owner's reference, or, where {@code anyOwner}, anybody's; or null. Its bytes may be damaged all the same. */
    public @Nullable ArtifactRef lookup(String owner, Digest digest, boolean anyOwner) {
        return index.lookup(owner, digest, anyOwner);
    }

    /** Stores bytes as they are. */
    public void put(String owner, ArtifactDraft draft, ByteBuffer bytes, Consumer<Kept> answer) {
        submitPut(bytes.remaining(), answer, () -> store(owner, draft, bytes));
    }

    /** Stores a document in canonical form; one that is malformed is answered with {@code INVALID_PARAMS}. */
    public void putDocument(String owner, ByteBuffer json, Consumer<Kept> answer) {
        if (json.remaining() > settings.documentBytesMax()) {
            answer.accept(Kept.refused(ApiError.of(
                            ErrorCode.PAYLOAD_TOO_LARGE,
                            "The document has " + json.remaining() + " bytes and may have "
                                    + settings.documentBytesMax() + "; send less, or as another media type.")
                    .by("document_bytes")));
            return;
        }
        submitPut(json.remaining(), answer, () -> {
            try {
                ArtifactDocument document = ArtifactDocument.read(json);
                return store(owner, document.draft(), ByteBuffer.wrap(document.canonical()));
            } catch (MalformedJson e) {
                String where = e.pointer().isEmpty() ? "The body" : e.pointer();
                ApiError error = ApiError.of(ErrorCode.INVALID_PARAMS, where + ' ' + e.problem() + '.');
                return Kept.refused(
                        e.pointer().isEmpty()
                                ? error
                                : ApiError.of(error.code(), error.message(), e.pointer(), "refused"));
            }
        });
    }

    /** One put or pin on a store thread. */
    private interface Work {
        Kept run() throws InterruptedException;
    }

    private void submitPut(int bytes, Consumer<Kept> answer, Work work) {
        Consumer<Kept> told = kept -> {
            ApiError error = kept.error();
            if (error != null) {
                events.onRefused(error);
            }
            answer.accept(kept);
        };
        ApiError busy = threads.offer(bytes, new StoreThreads.Job() {
            @Override
            public Runnable run() {
                Kept kept;
                try {
                    kept = work.run();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    kept = Kept.refused(stopping());
                } catch (RuntimeException e) {
                    events.onDefect(e);
                    kept = Kept.refused(
                            ApiError.of(ErrorCode.INTERNAL, "The artifact store failed; its log says more."));
                }
                Kept result = kept;
                return () -> told.accept(result);
            }

            @Override
            public void drop() {
                told.accept(Kept.refused(stopping()));
            }
        });
        if (busy != null) {
            told.accept(Kept.refused(busy));
        }
    }

    private static ApiError stopping() {
        return ApiError.of(ErrorCode.POOL_UNREADY, "The daemon is stopping; store it elsewhere.")
                .retryAfterMs(1_000);
    }

    private Kept store(String owner, ArtifactDraft draft, ByteBuffer bytes) throws InterruptedException {
        Digest digest = Digest.of(bytes.duplicate());
        index.claim(digest);
        try {
            ArtifactRef before = index.lookup(owner, digest, false);
            if (before != null) {
                blobs.putIfAbsent(digest, bytes);
                index.sound(digest);
                return new Kept(before, true, null);
            }
            int length = bytes.remaining();
            ApiError refused = index.reserve(owner, draft.parent(), length);
            if (refused != null) {
                return Kept.refused(refused);
            }
            ArtifactRef ref = new ArtifactRef(
                    digest,
                    owner,
                    draft.kind(),
                    draft.mediaType(),
                    length,
                    nowMs.getAsLong(),
                    draft.tags(),
                    draft.parent(),
                    draft.pinned());
            boolean durable = false;
            try {
                write(ref, bytes);
                durable = true;
            } finally {
                if (!durable) {
                    index.undo(owner, draft.parent(), length);
                }
            }
            index.commit(ref);
            index.sound(digest);
            events.onStored(ref);
            return new Kept(ref, false, null);
        } catch (IOException e) {
            return Kept.refused(failed("put", e, bytes.capacity()));
        } finally {
            index.release(digest);
        }
    }

    /** Bytes first: a reference never names bytes that are not there. What fails leaves nothing that is acknowledged. */
    private void write(ArtifactRef ref, ByteBuffer bytes) throws IOException {
        blobs.putIfAbsent(ref.digest(), bytes);
        try {
            refs.write(ref);
        } catch (IOException e) {
            try {
                refs.delete(ref); // it may have its name and not be known to be durable
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private ApiError failed(String operation, IOException failure, long bytes) {
        events.onDiskFailure(operation, failure);
        if (isFull(failure, bytes)) {
            return ApiError.of(
                            ErrorCode.STORAGE_FULL,
                            "The disk of the artifact store is full; nothing was stored. Reads and tasks go on.")
                    .by("disk");
        }
        return ApiError.of(
                ErrorCode.INTERNAL, "The disk of the artifact store failed; nothing was stored. The log says more.");
    }

    /** ENOSPC and EDQUOT have no exception of their own: their text tells, and where it is translated, the free space. */
    private boolean isFull(IOException failure, long bytes) {
        String text = String.valueOf(failure.getMessage());
        if (text.contains("No space left") || text.contains("quota exceeded")) {
            return true;
        }
        try {
            return disk.usableBytes(settings.root()) < bytes;
        } catch (IOException e) {
            return false;
        }
    }

    /** Keeps an artifact whatever its age, or no longer; durable when answered. */
    public void pin(String owner, Digest digest, boolean pinned, Consumer<Kept> answer) {
        submitPut(0, answer, () -> {
            index.claim(digest);
            try {
                ArtifactRef before = index.lookup(owner, digest, false);
                if (before == null) {
                    return Kept.refused(notFound());
                }
                ArtifactRef after = before.pinned(pinned);
                if (before.pinned() != pinned) {
                    refs.write(after);
                    index.replace(before, after);
                }
                return new Kept(after, true, null);
            } catch (IOException e) {
                return Kept.refused(failed("pin", e, 0));
            } finally {
                index.release(digest);
            }
        });
    }

    /** The error for what a caller does not have. */
    public static ApiError notFound() {
        return ApiError.of(
                ErrorCode.NOT_FOUND,
                "No artifact with this id; it was never stored by this key, or has been collected.");
    }

    /** Opens the bytes of a reference, verified; {@link Opened#reader} must be closed. */
    public void open(ArtifactRef ref, Consumer<Opened> answer) {
        if (reads.incrementAndGet() > settings.readsMax()) {
            reads.decrementAndGet();
            refuse(
                    threads.busy(
                            "The artifact store has all the " + settings.readsMax() + " reads under way that it may",
                            "artifact_reads"),
                    answer);
            return;
        }
        ApiError busy = threads.offer(0, new StoreThreads.Job() {
            @Override
            public Runnable run() {
                Opened opened = openNow(ref);
                if (opened.reader() == null) {
                    reads.decrementAndGet();
                }
                return () -> answer.accept(opened);
            }

            @Override
            public void drop() {
                reads.decrementAndGet();
                refuse(stopping(), answer);
            }
        });
        if (busy != null) {
            reads.decrementAndGet();
            refuse(busy, answer);
        }
    }

    private void refuse(ApiError error, Consumer<Opened> answer) {
        events.onRefused(error);
        answer.accept(new Opened(null, error));
    }

    private Opened openNow(ArtifactRef ref) {
        try {
            BlobStore.Blob blob;
            try {
                blob = blobs.get(ref.digest());
            } catch (BlobStore.Corrupt e) {
                blob = null;
            }
            return blob == null ? openAlone(ref) : opened(blob);
        } catch (IOException e) {
            events.onDiskFailure("get", e);
            return failure("The disk of the artifact store failed; its log says more.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Opened(null, stopping());
        } catch (RuntimeException e) {
            events.onDefect(e);
            return failure("The artifact store failed; its log says more.");
        }
    }

    /** Again, with nobody else at work on the digest: a put may have just brought it, or a removal taken it. */
    private Opened openAlone(ArtifactRef ref) throws IOException, InterruptedException {
        Digest digest = ref.digest();
        index.claim(digest);
        try {
            if (!index.isReferenced(digest)) {
                return new Opened(null, notFound());
            }
            BlobStore.Blob blob = blobs.get(digest);
            if (blob != null) {
                return opened(blob);
            }
            lost(digest);
        } catch (BlobStore.Corrupt e) {
            blobs.setAside(digest);
            lost(digest);
        } finally {
            index.release(digest);
        }
        return new Opened(null, damaged());
    }

    private void lost(Digest digest) {
        if (!index.isDamaged(digest)) {
            index.damaged(digest);
            events.onCorrupt(digest);
        }
    }

    private Opened opened(BlobStore.Blob blob) {
        return new Opened(new ArtifactReader(blob, threads, reads::decrementAndGet), null);
    }

    private static Opened failure(String message) {
        return new Opened(null, ApiError.of(ErrorCode.INTERNAL, message));
    }

    /** The error for bytes that were damaged. */
    public static ApiError damaged() {
        return ApiError.of(
                ErrorCode.NOT_FOUND, "The artifact's bytes were damaged on the disk and set aside; store it again.");
    }

    /** Whether the bytes are known not to be readable. Any thread. */
    public boolean isDamaged(Digest digest) {
        return index.isDamaged(digest);
    }

    /**
     * Removes what is old and unused, and bytes that nobody refers to; at most once at a time.
     *
     * @param done told how many references and orphans went; −1 where another run or a full queue was in the way
     */
    public void collect(Consumer<Integer> done) {
        boolean taken = threads.offerCollection(() -> {
            int removed = collector.collect(nowMs.getAsLong());
            return () -> done.accept(removed);
        });
        if (!taken) {
            done.accept(-1);
        }
    }

    /** Bytes on disk, of all distinct artifacts. Any thread. */
    public long bytes() {
        return index.blobBytes();
    }

    /** References of all owners. Any thread. */
    public int count() {
        return index.count();
    }

    /** Puts and reads that wait or run. Any thread. */
    public int pending() {
        return threads.pending();
    }

    /** When a put that comes now would be done, ms, from measured work; at least 1. Any thread. */
    public long waitMs() {
        return threads.waitMs();
    }

    /** Finishes what runs, refuses what waits, gives the folder free. Waits for some seconds at most. */
    @Override
    public void close() {
        threads.close(STOP_WAIT_MS, TimeUnit.MILLISECONDS);
        folder.close();
    }
}
