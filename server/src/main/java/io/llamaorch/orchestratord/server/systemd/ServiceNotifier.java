package io.llamaorch.orchestratord.server.systemd;

import io.llamaorch.orchestratord.server.log.EventLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Tells the service manager how the daemon is, by {@code sd_notify(3)}; says nothing where none asks
 * ({@code NOTIFY_SOCKET}).
 *
 * <p>{@link #status} and {@link #alive} never wait and may be called on an event loop. The others are turns in the
 * daemon's life that must arrive: where the manager's queue is full they wait up to a second for room, so they are for
 * threads that may. A failure is logged once and has no other effect.
 */
public final class ServiceNotifier implements AutoCloseable {
    private static final ByteBuffer ALIVE = NotifySocket.bytes("WATCHDOG=1");
    private static final int TRIES = 100;
    private static final long TRY_AGAIN_MS = 10;

    private final @Nullable NotifySocket socket;
    private final long watchdogNs;
    private final EventLog log;
    private final AtomicBoolean complained = new AtomicBoolean();

    private ServiceNotifier(@Nullable NotifySocket socket, long watchdogNs, EventLog log) {
        this.socket = socket;
        this.watchdogNs = watchdogNs;
        this.log = log;
    }

    /**
     * The one that the environment asks for.
     *
     * @param environment of the process
     * @param pid of the process
     */
    public static ServiceNotifier of(Map<String, String> environment, long pid, EventLog log) {
        String name = environment.get("NOTIFY_SOCKET");
        if (name == null || name.isEmpty()) {
            return new ServiceNotifier(null, 0, log);
        }
        try {
            return new ServiceNotifier(NotifySocket.to(name), watchdogNs(environment, pid), log);
        } catch (IOException e) {
            ServiceNotifier silent = new ServiceNotifier(null, 0, log);
            silent.complain(name, e.getMessage());
            return silent;
        }
    }

    /** Whether a service manager listens. */
    public boolean present() {
        return socket != null;
    }

    /** The longest silence between two {@link #alive}, ns; 0 where none is expected. */
    public long watchdogNs() {
        return watchdogNs;
    }

    /** The daemon serves; also the end of a reload. {@code status}: a sentence for people. */
    public void ready(String status) {
        deliver("READY=1\n" + statusLine(status));
    }

    /** A reload begins; {@link #ready} must follow. */
    public void reloading(String status) {
        // On Linux nanoTime() is CLOCK_MONOTONIC itself, which is what the manager compares with.
        long monotonicUs = TimeUnit.NANOSECONDS.toMicros(System.nanoTime());
        deliver("RELOADING=1\nMONOTONIC_USEC=" + monotonicUs + "\n" + statusLine(status));
    }

    /** A stop begins, and takes {@code atMostMs} in the worst case. */
    public void stopping(String status, long atMostMs) {
        deliver("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + TimeUnit.MILLISECONDS.toMicros(atMostMs) + "\n"
                + statusLine(status));
    }

    /** What the daemon does, as a sentence. */
    public void status(String status) {
        if (socket != null) {
            send(NotifySocket.bytes(statusLine(status)));
        }
    }

    /** Feeds the watchdog. */
    public void alive() {
        send(ALIVE);
    }

    @Override
    public void close() {
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                // The process is about to end.
            }
        }
    }

    private void deliver(String message) {
        if (socket == null) {
            return;
        }
        ByteBuffer bytes = NotifySocket.bytes(message);
        for (int i = 0; i < TRIES; i++) {
            if (send(bytes)) {
                return;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(TRY_AGAIN_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        complain(socket.toString(), "its queue stays full");
    }

    /** False where it is worth another try. */
    private boolean send(ByteBuffer message) {
        if (socket == null) {
            return true;
        }
        try {
            return socket.send(message);
        } catch (IOException e) {
            complain(socket.toString(), e.getMessage());
            return true;
        }
    }

    private void complain(String where, @Nullable String why) {
        if (complained.compareAndSet(false, true)) {
            log.warning(
                    "notify_failed", "The service manager at " + where + " (NOTIFY_SOCKET) was not told: " + why + ".");
        }
    }

    private static String statusLine(String status) {
        return "STATUS=" + status.replace('\n', ' ');
    }

    private static long watchdogNs(Map<String, String> environment, long pid) {
        String of = environment.getOrDefault("WATCHDOG_PID", "");
        if (!of.isEmpty() && !of.equals(Long.toString(pid))) {
            return 0;
        }
        try {
            return TimeUnit.MICROSECONDS.toNanos(
                    Math.max(0, Long.parseLong(environment.getOrDefault("WATCHDOG_USEC", "0"))));
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
