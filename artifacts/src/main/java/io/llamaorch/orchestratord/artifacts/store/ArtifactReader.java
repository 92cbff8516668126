package io.llamaorch.orchestratord.artifacts.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The verified bytes of one artifact, open. At most one {@link #read} at a time; any thread may ask, none waits.
 *
 * <p>It keeps a file open and counts towards {@link ArtifactSettings#readsMax}: close it.
 */
public final class ArtifactReader implements SliceReader {
    private final BlobStore.Blob blob;
    private final StoreThreads threads;
    private final Runnable onClose;
    private final AtomicBoolean closed = new AtomicBoolean();

    ArtifactReader(BlobStore.Blob blob, StoreThreads threads, Runnable onClose) {
        this.blob = blob;
        this.threads = threads;
        this.onClose = onClose;
    }

    @Override
    public long length() {
        return blob.length();
    }

    @Override
    public void read(long position, ByteBuffer into, Consumer<@Nullable IOException> done) {
        boolean taken = threads.execute(() -> {
            IOException failure = null;
            try {
                blob.read(position, into);
            } catch (IOException e) {
                failure = e;
            }
            done.accept(failure);
        });
        if (!taken) {
            done.accept(new IOException("the artifact store has stopped"));
        }
    }

    /** Closes the file on a store thread; a read that is under way then fails. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true) && !threads.execute(this::closeNow)) {
            closeNow();
        }
    }

    private void closeNow() {
        try {
            blob.close();
        } catch (IOException e) {
            // Only reads: nothing is lost.
        } finally {
            onClose.run();
        }
    }
}
