package io.llamaorch.orchestratord.artifacts.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The host's disk, one of whose calls fails. Any thread. */
public final class FaultyDisk implements Disk {
    /** How it fails. */
    public enum Fault {
        /** ENOSPC, nothing is done. */
        FULL,
        /** A write takes half of its bytes, then ENOSPC; other calls as {@link #FULL}. */
        HALF_THEN_FULL,
        /** EIO, nothing is done. */
        IO_ERROR,
        /** EIO, and yet it is done. */
        IO_ERROR_AFTER,
        /** A read or write moves a part of the bytes, which is no failure. */
        SHORT
    }

    private final Disk host = new HostDisk();
    private final AtomicInteger calls = new AtomicInteger();
    private volatile int failing;
    private volatile Fault fault = Fault.IO_ERROR;
    private volatile boolean fired;

    /** Lets the n-th call from now on fail, once; 0: none. */
    public void failAt(int nth, Fault how) {
        calls.set(0);
        fired = false;
        fault = how;
        failing = nth;
    }

    /** Whether it came to that call; and no further call fails. */
    public boolean disarm() {
        failing = 0;
        return fired;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private boolean due() {
        boolean due = calls.incrementAndGet() == failing;
        fired |= due;
        return due;
    }

    private IOException failure() {
        return new IOException(
                fault == Fault.FULL || fault == Fault.HALF_THEN_FULL
                        ? "No space left on device"
                        : "Input/output error");
    }

    private <T> T run(Call<T> call) throws IOException {
        if (!due() || fault == Fault.SHORT) {
            return call.run();
        }
        if (fault == Fault.IO_ERROR_AFTER) {
            T result = call.run();
            if (result instanceof File file) {
                file.close();
            }
        }
        throw failure();
    }

    private static Call<Boolean> done(IoAction action) {
        return () -> {
            action.run();
            return true;
        };
    }

    private interface Write {
        int of(ByteBuffer bytes) throws IOException;
    }

    private interface IoAction {
        void run() throws IOException;
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        run(done(() -> host.createFolder(folder)));
    }

    @Override
    public File create(Path file) throws IOException {
        return run(() -> new Faulty(host.create(file)));
    }

    @Override
    public File open(Path file) throws IOException {
        return run(() -> new Faulty(host.open(file)));
    }

    @Override
    public File change(Path file) throws IOException {
        return run(() -> new Faulty(host.change(file)));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        run(done(() -> host.rename(from, to)));
    }

    @Override
    public void delete(Path file) throws IOException {
        run(done(() -> host.delete(file)));
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        run(done(() -> host.syncFolder(folder)));
    }

    @Override
    public List<String> list(Path folder) throws IOException {
        return run(() -> host.list(folder));
    }

    @Override
    public long usableBytes(Path folder) throws IOException {
        return host.usableBytes(folder);
    }

    private final class Faulty implements File {
        private final File file;

        Faulty(File file) {
            this.file = file;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            return write(bytes, file::write);
        }

        @Override
        public int write(ByteBuffer bytes, long position) throws IOException {
            return write(bytes, part -> file.write(part, position));
        }

        private int write(ByteBuffer bytes, Write call) throws IOException {
            if (!due()) {
                return call.of(bytes);
            }
            if (fault == Fault.SHORT || fault == Fault.HALF_THEN_FULL) {
                int half = (bytes.remaining() + 1) / 2;
                ByteBuffer part = bytes.slice(bytes.position(), half);
                int written = call.of(part);
                bytes.position(bytes.position() + written);
                if (fault == Fault.SHORT) {
                    return written;
                }
            } else if (fault == Fault.IO_ERROR_AFTER) {
                call.of(bytes);
            }
            throw failure();
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            if (!due()) {
                return file.read(into, position);
            }
            if (fault != Fault.SHORT) {
                throw failure();
            }
            int limit = into.limit();
            into.limit(into.position() + (into.remaining() + 1) / 2);
            int count = file.read(into, position);
            into.limit(limit);
            return count;
        }

        @Override
        public void sync() throws IOException {
            FaultyDisk.this.run(done(file::sync));
        }

        @Override
        public void syncData() throws IOException {
            FaultyDisk.this.run(done(file::syncData));
        }

        @Override
        public void truncate(long length) throws IOException {
            FaultyDisk.this.run(done(() -> file.truncate(length)));
        }

        @Override
        public long size() throws IOException {
            return FaultyDisk.this.run(file::size);
        }

        @Override
        public void close() throws IOException {
            file.close();
            if (due() && fault != Fault.SHORT) {
                throw failure();
            }
        }
    }
}
