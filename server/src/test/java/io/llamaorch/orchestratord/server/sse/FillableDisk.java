package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.HostDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** The host's disk, which takes no bytes while it is said to be full. Any thread. */
final class FillableDisk implements Disk {
    private final Disk host = new HostDisk();
    private volatile boolean full;

    void full(boolean now) {
        full = now;
    }

    private void check() throws IOException {
        if (full) {
            throw new IOException("No space left on device");
        }
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        host.createFolder(folder);
    }

    @Override
    public File create(Path file) throws IOException {
        check();
        return new Open(host.create(file));
    }

    @Override
    public File open(Path file) throws IOException {
        return new Open(host.open(file));
    }

    @Override
    public File change(Path file) throws IOException {
        return new Open(host.change(file));
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

    private final class Open implements File {
        private final File file;

        Open(File file) {
            this.file = file;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            check();
            return file.write(bytes);
        }

        @Override
        public int write(ByteBuffer bytes, long position) throws IOException {
            check();
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
    }
}
