package io.llamaorch.orchestratord.server.log;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file that is appended to and kept below a size: before it would grow beyond, {@code FILE} becomes {@code FILE.1},
 * {@code FILE.1} becomes {@code FILE.2}, and the oldest goes. So all of them take {@code files × bytes} at most.
 *
 * <p>After a failure the next write opens the file anew. For one thread.
 */
final class RotatingFile {
    private final Path path;
    private final long bytesMax;
    private final int files;
    private @Nullable OutputStream out;
    private long bytes;

    private RotatingFile(Path path, long bytesMax, int files) {
        this.path = path;
        this.bytesMax = bytesMax;
        this.files = files;
    }

    /**
     * Opens it, and goes on behind what is there.
     *
     * @param bytesMax most bytes of one file, but for a single write that is longer
     * @param files how many there may be, at least 1: then the file starts empty again
     */
    static RotatingFile open(Path path, long bytesMax, int files) throws IOException {
        RotatingFile file = new RotatingFile(path, bytesMax, files);
        file.opened();
        return file;
    }

    /** Writes whole lines. */
    void write(byte[] lines) throws IOException {
        try {
            OutputStream to = opened();
            if (bytes > 0 && bytes + lines.length > bytesMax) {
                rotate();
                to = opened();
            }
            to.write(lines);
            bytes += lines.length;
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private OutputStream opened() throws IOException {
        OutputStream stream = out;
        if (stream == null) {
            stream = Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            out = stream;
            bytes = Files.size(path);
        }
        return stream;
    }

    private void rotate() throws IOException {
        close();
        for (int i = files - 1; i > 0; i--) {
            move(i == 1 ? path : numbered(i - 1), numbered(i));
        }
        if (files == 1) {
            Files.deleteIfExists(path);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            // not that many yet
        }
    }

    private Path numbered(int number) {
        return path.resolveSibling(path.getFileName() + "." + number);
    }

    /** Closes it; a later write opens it again. */
    void close() {
        OutputStream stream = out;
        out = null;
        if (stream != null) {
            try {
                stream.close();
            } catch (IOException e) {
                // nothing is buffered: what was written is with the system
            }
        }
    }
}
