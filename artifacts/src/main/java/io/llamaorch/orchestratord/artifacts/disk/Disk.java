package io.llamaorch.orchestratord.artifacts.disk;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The file system: each method is about one system call, so that a test can let each of them fail. Blocks; any thread.
 *
 * <p>Every failure is an {@link IOException}; {@link java.nio.file.NoSuchFileException} where a file is not there.
 */
public interface Disk {
    /** An open file. For one thread at a time, but for {@link #read}. */
    interface File extends Closeable {
        /** Writes at the end; may take fewer bytes than there are. */
        int write(ByteBuffer bytes) throws IOException;

        /** Writes from a position on, which may be the end; may take fewer bytes than there are. */
        int write(ByteBuffer bytes, long position) throws IOException;

        /** Reads from a position; may give fewer bytes than are asked for, −1 behind the end. */
        int read(ByteBuffer into, long position) throws IOException;

        /** Brings what was written to stable storage. After a failure nothing is known of any of it: never try again. */
        void sync() throws IOException;

        /** The same for the bytes and what it takes to find them, but not for the times that the file carries. */
        void syncData() throws IOException;

        /** Cuts the file off at a length; a shorter one stays as it is. */
        void truncate(long length) throws IOException;

        /** Length, bytes. */
        long size() throws IOException;
    }

    /** Makes a folder with mode 0700, in one that is there; one that is there already is left as it is. */
    void createFolder(Path folder) throws IOException;

    /** Makes a new file with mode 0600, to write and read. */
    File create(Path file) throws IOException;

    /** Opens a file to read. */
    File open(Path file) throws IOException;

    /** Opens a file that is there, to write and read. */
    File change(Path file) throws IOException;

    /** Gives a file another name in the same file system, at once; one that has that name is replaced. */
    void rename(Path from, Path to) throws IOException;

    /** Removes a file. */
    void delete(Path file) throws IOException;

    /** Brings a folder's entries to stable storage. */
    void syncFolder(Path folder) throws IOException;

    /** Names of what is in a folder, in no order. */
    List<String> list(Path folder) throws IOException;

    /** Bytes that may still be written where this folder is. */
    long usableBytes(Path folder) throws IOException;
}
