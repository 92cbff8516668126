package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.BitSet;

/**
 * Ports of a range, each given to one engine at a time and only while nothing listens on it at 127.0.0.1. Goes round the
 * range, so that a port just given back is the last to be given again. Safe for all threads.
 */
public final class PortLeases {
    private final int first;
    private final int last;
    private final BitSet taken = new BitSet();
    private int next;

    /** Ports {@code first} to {@code last}, both included. */
    public PortLeases(int first, int last) {
        if (first < 1 || last > 65535 || first > last) {
            throw new IllegalArgumentException("ports " + first + " to " + last + " are no range within 1 to 65535");
        }
        this.first = first;
        this.last = last;
        this.next = first;
    }

    /**
     * A port that is nobody's. Give it back by {@link #release}.
     *
     * @throws IOException when every port is leased or in use
     */
    public synchronized int lease() throws IOException {
        int count = last - first + 1;
        int leased = 0;
        for (int i = 0; i < count; i++) {
            int port = first + (next - first + i) % count;
            if (taken.get(port)) {
                leased++;
            } else if (isFree(port)) {
                taken.set(port);
                next = port == last ? first : port + 1;
                return port;
            }
        }
        throw new IOException("no port is free from " + first + " to " + last + ": " + leased + " leased to engines, "
                + (count - leased) + " in use by others");
    }

    /** Gives a port back; one that is not leased stays so. */
    public synchronized void release(int port) {
        taken.clear(port);
    }

    /** Ports given out. */
    public synchronized int leased() {
        return taken.cardinality();
    }

    /** Whether nothing listens on {@code port}. Connections of a dead engine that time out do not count. */
    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
