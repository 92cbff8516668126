package io.llamaorch.orchestratord.server.systemd;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The listening sockets that a service manager has passed, by {@code sd_listen_fds(3)}: descriptors from 3 on.
 *
 * <p>They stay the manager's: closing a descriptor here leaves the queue of connections as it is, which is what lets a
 * restart lose none.
 */
public final class ListenSockets {
    private static final int FIRST = 3;
    private static final int MOST = 64;

    private ListenSockets() {}

    /**
     * Their descriptors; empty where none was passed to this process.
     *
     * @param environment of the process
     * @param pid of the process
     * @throws IOException with a sentence, where the variables or a descriptor are not as they should be
     */
    public static List<Integer> passed(Map<String, String> environment, long pid) throws IOException {
        String count = environment.getOrDefault("LISTEN_FDS", "");
        if (count.isEmpty() || !Long.toString(pid).equals(environment.get("LISTEN_PID"))) {
            return List.of();
        }
        int sockets = number(count);
        if (sockets < 0 || sockets > MOST) {
            throw new IOException("LISTEN_FDS is " + count + ", not a number up to " + MOST);
        }
        List<Integer> descriptors = new ArrayList<>();
        for (int fd = FIRST; fd < FIRST + sockets; fd++) {
            if (!SocketDescriptor.isTcpListener(fd)) {
                throw new IOException("descriptor " + fd + " of LISTEN_FDS=" + count
                        + " is not a TCP socket that listens (ListenStream= with an address and a port)");
            }
            SocketDescriptor.prepare(fd);
            descriptors.add(fd);
        }
        return List.copyOf(descriptors);
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
