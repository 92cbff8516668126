package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Blobs as files in 256 folders, named by their digests. Any thread; see {@link BlobStore}. */
final class FileBlobStore implements BlobStore {
    /** Most quarantined blobs that are kept for whoever wants to look at them. */
    static final int QUARANTINE_MAX = 16;

    private static final int VERIFY_BYTES = 128 << 10;
    private static final int FANS = 256;

    private final Disk disk;
    private final DurableFiles files;
    private final Path blobs;
    private final Path quarantine;

    private FileBlobStore(Disk disk, DurableFiles files, Path root) {
        this.disk = disk;
        this.files = files;
        this.blobs = root.resolve("blobs");
        this.quarantine = root.resolve("quarantine");
    }

    /** Opens the folders in a root, and makes those that are not there. */
    static FileBlobStore open(Disk disk, DurableFiles files, Path root) throws IOException {
        FileBlobStore store = new FileBlobStore(disk, files, root);
        makeFans(disk, store.blobs);
        disk.createFolder(store.quarantine);
        disk.syncFolder(root);
        return store;
    }

    /** A folder and its 256 folders {@code 00} to {@code ff}: made once, so that no put has to make one durable. */
    static void makeFans(Disk disk, Path folder) throws IOException {
        disk.createFolder(folder);
        List<String> there = disk.list(folder);
        if (there.size() < FANS) {
            for (int i = 0; i < FANS; i++) {
                disk.createFolder(folder.resolve(fan(i)));
            }
            disk.syncFolder(folder);
        }
    }

    static String fan(int i) {
        return Integer.toHexString(FANS | i).substring(1);
    }

    private Path path(Digest digest) {
        return blobs.resolve(digest.fan()).resolve(digest.hex());
    }

    @Override
    public void putIfAbsent(Digest digest, ByteBuffer bytes) throws IOException {
        files.write(path(digest), bytes);
    }

    @Override
    public @Nullable Blob get(Digest digest) throws IOException {
        Disk.File file;
        try {
            file = disk.open(path(digest));
        } catch (NoSuchFileException e) {
            return null;
        }
        boolean sound = false;
        try {
            long length = file.size();
            sound = digestOf(file, length).equals(digest);
            if (sound) {
                return new FileBlob(file, length);
            }
        } finally {
            if (!sound) {
                file.close();
            }
        }
        throw new Corrupt("the bytes do not match their digest");
    }

    private static Digest digestOf(Disk.File file, long length) throws IOException {
        MessageDigest digest = Digest.sha256();
        ByteBuffer slice = ByteBuffer.allocate((int) Math.min(VERIFY_BYTES, length));
        for (long at = 0; at < length; at += slice.limit()) {
            slice.clear().limit((int) Math.min(slice.capacity(), length - at));
            DurableFiles.readFully(file, slice, at);
            digest.update(slice.flip());
        }
        return Digest.of(digest);
    }

    /** Out of the way first; only then is room made in the quarantine. */
    @Override
    public void setAside(Digest digest) throws IOException {
        disk.rename(path(digest), quarantine.resolve(digest.hex()));
        disk.syncFolder(quarantine);
        List<String> kept = disk.list(quarantine);
        for (int i = 0; i < kept.size() - QUARANTINE_MAX; i++) {
            if (!kept.get(i).equals(digest.hex())) {
                disk.delete(quarantine.resolve(kept.get(i)));
            }
        }
    }

    @Override
    public long head(Digest digest) throws IOException {
        try (Disk.File file = disk.open(path(digest))) {
            return file.size();
        } catch (NoSuchFileException e) {
            return -1;
        }
    }

    @Override
    public boolean delete(Digest digest) throws IOException {
        return files.delete(path(digest));
    }

    @Override
    public void list(BiConsumer<Digest, Long> seen) throws IOException {
        for (int i = 0; i < FANS; i++) {
            for (String name : disk.list(blobs.resolve(fan(i)))) {
                if (Digest.isHex(name)) {
                    Digest digest = new Digest(name);
                    long bytes = head(digest);
                    if (bytes >= 0) {
                        seen.accept(digest, bytes);
                    }
                }
            }
        }
    }

    private record FileBlob(Disk.File file, long length) implements Blob {
        @Override
        public void read(long position, ByteBuffer into) throws IOException {
            DurableFiles.readFully(file, into, position);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
