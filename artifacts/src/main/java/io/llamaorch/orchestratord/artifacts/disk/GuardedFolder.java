package io.llamaorch.orchestratord.artifacts.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A folder that is the daemon's own: made with mode 0700, marked by a number in its file {@code FORMAT}, and locked
 * while it is used. A folder of somebody else, of a newer version, or in use is refused and left as it is (ART-41).
 *
 * <p>Blocks; for the thread that starts the daemon.
 */
public final class GuardedFolder implements AutoCloseable {
    private static final String FORMAT = "FORMAT";
    private static final String LOCK = "LOCK";
    private static final String DRAFT = "FORMAT.new";
    private static final int FORMAT_BYTES_MAX = 32;

    private final FileChannel lockFile;

    private GuardedFolder(FileChannel lockFile) {
        this.lockFile = lockFile;
    }

    /**
     * Takes a folder into use; makes it where it is not there.
     *
     * @param folder absolute
     * @param key the configuration's key that names it, for messages
     * @param format the number that this version writes, and the highest that it reads
     * @throws FolderRefused where it must not, or cannot, be used
     */
    public static GuardedFolder open(Disk disk, Path folder, String key, int format) throws FolderRefused {
        try {
            if (!Files.isDirectory(folder)) {
                create(disk, folder);
            }
            List<String> entries = disk.list(folder);
            if (entries.contains(FORMAT)) {
                check(disk, folder, key, format);
            } else if (!Set.of(LOCK, DRAFT).containsAll(entries)) {
                throw new FolderRefused(folder + " holds files and no " + FORMAT
                        + ": it is not a folder of this daemon, and was not touched; name an empty or new one (key: "
                        + key + ")");
            }
            GuardedFolder guarded = lock(folder, key);
            try {
                if (!entries.contains(FORMAT)) {
                    mark(disk, folder, format);
                }
                return guarded;
            } catch (IOException e) {
                guarded.close();
                throw e;
            }
        } catch (IOException e) {
            throw new FolderRefused("cannot use " + folder + " (key: " + key + "): " + reason(e), e);
        }
    }

    private static void create(Disk disk, Path folder) throws IOException {
        Path parent = folder.getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            create(disk, parent);
        }
        disk.createFolder(folder);
        if (parent != null) {
            disk.syncFolder(parent);
        }
    }

    private static void check(Disk disk, Path folder, String key, int format) throws IOException, FolderRefused {
        String text;
        try (Disk.File file = disk.open(folder.resolve(FORMAT))) {
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(FORMAT_BYTES_MAX, file.size()));
            DurableFiles.readFully(file, bytes, 0);
            text = new String(bytes.array(), StandardCharsets.US_ASCII).strip();
        }
        if (!text.matches("[1-9][0-9]{0,8}")) {
            throw new FolderRefused(folder.resolve(FORMAT)
                    + " is no number: the folder is damaged or not this daemon's, and was not touched; restore it or name"
                    + " another one (key: " + key + ")");
        }
        if (Integer.parseInt(text) > format) {
            throw new FolderRefused(folder + " has format " + text + ", this version reads up to " + format
                    + "; start the version that wrote it, or name another folder (key: " + key + ")");
        }
    }

    /** Not by way of a temporary folder: there is none before the first mark. A torn mark is refused by {@link #check}. */
    private static void mark(Disk disk, Path folder, int format) throws IOException {
        Path draft = folder.resolve(DRAFT);
        Files.deleteIfExists(draft);
        try (Disk.File file = disk.create(draft)) {
            ByteBuffer bytes = ByteBuffer.wrap((format + "\n").getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                if (file.write(bytes) <= 0) {
                    throw new IOException("the disk took no bytes");
                }
            }
            file.sync();
        } catch (IOException e) {
            Files.deleteIfExists(draft);
            throw e;
        }
        disk.rename(draft, folder.resolve(FORMAT));
        disk.syncFolder(folder);
    }

    private static GuardedFolder lock(Path folder, String key) throws IOException, FolderRefused {
        FileChannel channel =
                FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Another daemon of this process has it.
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        if (lock == null) {
            throw new FolderRefused(
                    folder + " is in use by another process; stop it or name another folder (key: " + key + ")");
        }
        return new GuardedFolder(channel);
    }

    private static @Nullable String reason(IOException e) {
        String message = e.getMessage();
        return e instanceof AccessDeniedException ? "access to " + message + " is denied" : message;
    }

    /** Gives the folder free. */
    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            // The lock goes with the process.
        }
    }
}
