package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store whose answers are waited for, with a clock by hand; and what it told. */
final class StoreProbe implements AutoCloseable, ArtifactEvents {
    final AtomicLong nowMs = new AtomicLong(1_000_000);
    final List<Throwable> defects = new CopyOnWriteArrayList<>();
    final List<Digest> corrupt = new CopyOnWriteArrayList<>();
    final List<String> failures = new CopyOnWriteArrayList<>();
    final List<Removed> removed = new CopyOnWriteArrayList<>();
    final ArtifactSettings settings;
    private final Disk disk;
    private ArtifactStore store;

    StoreProbe(Disk disk, ArtifactSettings settings) throws FolderRefused {
        this.disk = disk;
        this.settings = settings;
        this.store = ArtifactStore.open(settings, disk, nowMs::get, this);
    }

    static ArtifactSettings settings(Path root) {
        return new ArtifactSettings(root, 1 << 20, 1000, 1 << 19, 500, 1 << 16, 1000, 2, 64, 1 << 20, 4);
    }

    ArtifactStore store() {
        return store;
    }

    void restart() throws FolderRefused {
        store.close();
        store = ArtifactStore.open(settings, disk, nowMs::get, this);
    }

    @Override
    public void close() {
        store.close();
    }

    static ArtifactDraft draft(@Nullable Digest parent) {
        return new ArtifactDraft(ArtifactKind.OTHER, "text/plain", List.of(), parent, false);
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    static Digest digest(String text) {
        return Digest.of(bytes(text));
    }

    ArtifactStore.Kept put(String owner, String text, @Nullable Digest parent) {
        return await(answer -> store.put(owner, draft(parent), bytes(text), answer));
    }

    ArtifactStore.Kept document(String owner, String json) {
        return await(answer -> store.putDocument(owner, bytes(json), answer));
    }

    ArtifactStore.Kept pin(String owner, String text, boolean pinned) {
        return await(answer -> store.pin(owner, digest(text), pinned, answer));
    }

    int collect() {
        return await(store::collect);
    }

    /** The text, or the error's code. */
    String get(String owner, Digest digest) {
        ArtifactRef ref = store.lookup(owner, digest, false);
        if (ref == null) {
            return "NO_REFERENCE";
        }
        ArtifactStore.Opened opened = await(answer -> store.open(ref, answer));
        ArtifactReader reader = opened.reader();
        ApiError error = opened.error();
        if (reader == null) {
            return error == null ? "NOTHING" : error.code().name();
        }
        try (reader) {
            ByteBuffer into = ByteBuffer.allocate((int) reader.length());
            IOException failure = awaitRead(reader, into);
            return failure == null ? new String(into.array(), StandardCharsets.UTF_8) : "READ_FAILED";
        }
    }

    private static @Nullable IOException awaitRead(ArtifactReader reader, ByteBuffer into) {
        List<IOException> failure = new ArrayList<>();
        boolean done = await(answer -> reader.read(0, into, e -> {
            if (e != null) {
                failure.add(e);
            }
            answer.accept(true);
        }));
        return done && failure.isEmpty() ? null : failure.get(0);
    }

    static <T> T await(Consumer<Consumer<T>> ask) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        ask.accept(answer::complete);
        try {
            return answer.get(30, TimeUnit.SECONDS);
        } catch (InterruptedException | TimeoutException | java.util.concurrent.ExecutionException e) {
            throw new AssertionError("no answer", e);
        }
    }

    @Override
    public void onRemoved(Removed why, long bytes) {
        removed.add(why);
    }

    @Override
    public void onCorrupt(Digest digest) {
        corrupt.add(digest);
    }

    @Override
    public void onDiskFailure(String operation, Throwable failure) {
        failures.add(operation);
    }

    @Override
    public void onDefect(Throwable defect) {
        defects.add(defect);
    }
}
