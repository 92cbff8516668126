package io.llamaorch.orchestratord.server;

import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.Logging;

/** The running daemon. */
public final class Daemon {
    private Daemon() {}

    /**
     * Runs until a signal stops it.
     *
     * @return the exit status of the process: 0 after a graceful stop
     */
    public static int run(Config config) {
        try (Logging logging = Logging.start(config.log())) {
            logging.events().warning("not_built", "This build serves nothing yet.");
            return 1;
        }
    }
}
