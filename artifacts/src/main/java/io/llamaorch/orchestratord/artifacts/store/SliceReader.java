package io.llamaorch.orchestratord.artifacts.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Verified bytes that are read slice by slice. At most one {@link #read} at a time; any thread may ask, none waits. */
public interface SliceReader extends AutoCloseable {
    /** Bytes in all. */
    long length();

    /**
     * Fills a buffer, which is the reader's until the answer.
     *
     * @param done told on a thread of the reader's, null where all went well; on the caller's where that has ended
     */
    void read(long position, ByteBuffer into, Consumer<@Nullable IOException> done);

    /** Whatever it keeps open is closed; a read that is under way may fail. */
    @Override
    void close();
}
