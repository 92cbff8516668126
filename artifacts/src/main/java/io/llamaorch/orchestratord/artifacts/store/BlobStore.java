package io.llamaorch.orchestratord.artifacts.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes by their digest: the port between the artifact store and where its bytes lie. Blocks; any thread.
 *
 * <p>Two calls that change the same digest must not overlap: {@link ArtifactStore} sees to that.
 */
public interface BlobStore {
    /** Bytes that were found and matched their digest. For one thread at a time. */
    interface Blob extends Closeable {
        /** Length, bytes. */
        long length();

        /** Fills the buffer from a position on; there must be as many bytes. */
        void read(long position, ByteBuffer into) throws IOException;
    }

    /** Bytes did not match their digest. */
    final class Corrupt extends IOException {
        private static final long serialVersionUID = 1;

        Corrupt(String message) {
            super(message);
        }
    }

    /**
     * Sees to it that the bytes are there, once, whole and durable. It writes and synchronises also where they are there
     * already, so that the time taken does not tell (ART-12), and so that a damaged copy is whole again (ART-13); who has
     * them open goes on with the old copy.
     *
     * @param bytes from position to limit, whose digest it is; the position moves
     */
    void putIfAbsent(Digest digest, ByteBuffer bytes) throws IOException;

    /**
     * The bytes, verified whole; null where they are not there.
     *
     * @throws Corrupt where they do not match
     */
    @Nullable
    Blob get(Digest digest) throws IOException;

    /** Sets bytes aside that do not match: they are not there any more. Nobody else may be at work on the digest. */
    void setAside(Digest digest) throws IOException;

    /** How many bytes there are, −1 where they are not there. Not verified. */
    long head(Digest digest) throws IOException;

    /** Removes the bytes; whether they were there. Who has them open keeps them to the end. */
    boolean delete(Digest digest) throws IOException;

    /** Tells every digest that is there. */
    void list(BiConsumer<Digest, Long> seen) throws IOException;
}
