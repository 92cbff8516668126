package io.llamaorch.orchestratord.server.it;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** The host's disk, which can be filled up, broken, and held up. */
final class SwitchedDisk implements Disk {
    private final Disk host = new HostDisk();
    volatile boolean full;
    volatile boolean broken;
    /** Syncs wait for it. */
    volatile @Nullable CountDownLatch held;

    private File wrap(File file) {
        return new File() {
            @Override
            public int write(ByteBuffer bytes) throws IOException {
                return file.write(bytes);
            }

            @Override
            public int write(ByteBuffer bytes, long position) throws IOException {
                if (full) {
                    throw new IOException("No space left on device");
                }
                return file.write(bytes, position);
            }

            @Override
            public int read(ByteBuffer into, long position) throws IOException {
                return file.read(into, position);
            }

            @Override
            public void sync() throws IOException {
                file.sync();
            }

            @Override
            public void syncData() throws IOException {
                CountDownLatch waiting = held;
                try {
                    if (waiting != null) {
                        waiting.await();
                    }
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                if (broken) {
                    throw new IOException("Input/output error");
                }
                file.syncData();
            }

            @Override
            public void truncate(long length) throws IOException {
                file.truncate(length);
            }

            @Override
            public long size() throws IOException {
                return file.size();
            }

            @Override
            public void close() throws IOException {
                file.close();
            }
        };
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        host.createFolder(folder);
    }

    @Override
    public File create(Path file) throws IOException {
        return wrap(host.create(file));
    }

    @Override
    public File open(Path file) throws IOException {
        return wrap(host.open(file));
    }

    @Override
    public File change(Path file) throws IOException {
        return wrap(host.change(file));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        host.rename(from, to);
    }

    @Override
    public void delete(Path file) throws IOException {
        host.delete(file);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        host.syncFolder(folder);
    }

    @Override
    public List<String> list(Path folder) throws IOException {
        return host.list(folder);
    }

    @Override
    public long usableBytes(Path folder) throws IOException {
        return host.usableBytes(folder);
    }
}
