package io.llamaorch.orchestratord.artifacts.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Files that are there whole and durable, or not at all: temporary file, its sync, rename, the folder's sync.
 *
 * <p>A file whose sync failed is dropped and never tried again: the kernel may have thrown the pages away and call the next
 * sync a success. Any thread.
 */
public final class DurableFiles {
    private final Disk disk;
    private final Path temporary;
    private final AtomicLong names = new AtomicLong();

    /**
     * Writes by way of one folder.
     *
     * @param temporary a folder of the same file system that nobody else uses
     */
    public DurableFiles(Disk disk, Path temporary) {
        this.disk = disk;
        this.temporary = temporary;
    }

    /** Removes what a crash has left. */
    public int clean() throws IOException {
        int removed = 0;
        for (String name : disk.list(temporary)) {
            disk.delete(temporary.resolve(name));
            removed++;
        }
        return removed;
    }

    /**
     * Makes the file, or replaces it. Where this returns, the bytes are on stable storage under that name; where it throws,
     * the name stands for what it stood for before, or for the whole new bytes.
     *
     * @param bytes from position to limit; the position moves
     */
    public void write(Path file, ByteBuffer bytes) throws IOException {
        Path draft = temporary.resolve(Long.toString(names.incrementAndGet(), 36));
        try {
            try (Disk.File out = disk.create(draft)) {
                while (bytes.hasRemaining()) {
                    if (out.write(bytes) <= 0) {
                        throw new IOException("the disk took none of " + bytes.remaining() + " bytes");
                    }
                }
                out.sync();
            }
            disk.rename(draft, file);
        } catch (IOException | RuntimeException e) {
            drop(draft, e);
            throw e;
        }
        disk.syncFolder(parent(file));
    }

    /** Removes the file durably; whether it was there. */
    public boolean delete(Path file) throws IOException {
        try {
            disk.delete(file);
        } catch (NoSuchFileException e) {
            return false;
        }
        disk.syncFolder(parent(file));
        return true;
    }

    /** Fills the buffer from a position on; a file that ends before is an {@link EOFException}. */
    public static void readFully(Disk.File file, ByteBuffer into, long position) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int count = file.read(into, at);
            if (count <= 0) {
                throw new EOFException("the file ends at byte " + at);
            }
            at += count;
        }
    }

    private static Path parent(Path file) {
        Path folder = file.getParent();
        if (folder == null) {
            throw new IllegalArgumentException("a file without a folder: " + file);
        }
        return folder;
    }

    private void drop(Path draft, Exception cause) {
        try {
            disk.delete(draft);
        } catch (NoSuchFileException e) {
            // It was never made.
        } catch (IOException e) {
            cause.addSuppressed(e); // the next start removes it
        }
    }
}
