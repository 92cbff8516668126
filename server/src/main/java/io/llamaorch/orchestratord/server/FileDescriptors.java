package io.llamaorch.orchestratord.server;

import com.sun.management.UnixOperatingSystemMXBean;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.http.HttpFront;
import io.llamaorch.orchestratord.server.log.EventLog;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/**
 * Whether the process may open as many files as its configuration can lead to: one for each client connection, for each
 * call of an engine and for each probe, beside those that are open once it has started.
 */
final class FileDescriptors {
    private FileDescriptors() {}

    /** Logs one warning where the limit of this process is lower; called when the daemon listens. */
    static void check(Config config, EventLog log) {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
            String shortage = shortage(config, unix.getMaxFileDescriptorCount(), unix.getOpenFileDescriptorCount());
            if (shortage != null) {
                log.warning("file_descriptors", shortage);
            }
        }
    }

    /**
     * What is wrong with a limit, and what to do; null where it suffices.
     *
     * @param limit files that the process may have open, −1 where unknown
     * @param open files that it has open without a connection
     */
    static @Nullable String shortage(Config config, long limit, long open) {
        long engines = engineConnections(config);
        int clients = config.http().connections();
        long needed = open + engines + clients + HttpFront.LINGERING_MAX;
        if (limit < 0 || limit >= needed) {
            return null;
        }
        return "The limit of open files is " + limit + ", and this configuration may need " + needed + ": " + clients
                + " client connections (http.connections), " + HttpFront.LINGERING_MAX + " that are being refused, "
                + engines + " to engines and " + open + " of the process itself. Raise the limit (ulimit -n, or"
                + " LimitNOFILE of a systemd unit) or lower http.connections; beyond the limit connections fail.";
    }

    private static long engineConnections(Config config) {
        long most = 0;
        for (Config.Pool pool : config.pools()) {
            if (pool.engine() != EngineKind.MOCK) {
                for (Config.Replica replica : pool.replicas()) {
                    most += replica.slots() + 1; // and its probe
                }
            }
        }
        return most;
    }
}
