package io.llamaorch.orchestratord.bench.report;

import java.util.ArrayList;
import java.util.List;

/** How the bench's own JVMs are started: like this one. */
final class JavaCommand {
    private static final List<String> FLAGS = List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=deny",
            "-XX:+UseCompactObjectHeaders",
            "-XX:+UseSerialGC",
            "-Xms256m",
            "-Xmx512m",
            "-Dio.netty.leakDetection.level=disabled");

    String home() {
        return System.getProperty("java.home", "");
    }

    /** The flags, for the report. */
    String flags() {
        return String.join(" ", FLAGS);
    }

    /** A command that runs a main class of this module; arguments are to be added. */
    List<String> command(Class<?> main) {
        List<String> command = new ArrayList<>();
        command.add(home() + "/bin/java");
        command.addAll(FLAGS);
        command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), main.getName()));
        return command;
    }
}
