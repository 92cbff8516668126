package io.llamaorch.orchestratord.adapters.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A daemon to be killed: starts one engine and waits. Arguments: folder of the guard, script of the engine, grace in ms.
 * Prints {@code TOKEN PID GUARD} when the engine has said {@code up}.
 */
final class DaemonStandIn {
    private DaemonStandIn() {}

    public static void main(String[] args) throws Exception {
        EngineGuard guard = EngineGuard.install(Path.of(args[0]));
        EngineCommand command = new EngineCommand(List.of("/bin/sh", args[1]), Map.of(), null);
        EngineProcess engine = StandIns.start(guard, command, Long.parseLong(args[2]));
        StandIns.awaitLine(engine, "up");
        System.out.println(engine.token() + " " + engine.pid() + " " + engine.guardPid());
        System.out.flush();
        // Not for ever: when the test dies too, this goes by itself.
        engine.exit().get(5, TimeUnit.MINUTES);
    }
}
