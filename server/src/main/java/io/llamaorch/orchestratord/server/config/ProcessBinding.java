package io.llamaorch.orchestratord.server.config;

import io.llamaorch.orchestratord.adapters.process.CommandTemplate;
import io.llamaorch.orchestratord.adapters.process.RestartPolicy;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of engines that the daemon starts: type, range, default and meaning of each. See {@link ConfigBinding}. */
final class ProcessBinding {
    private static final List<String> PROVISIONING = List.of("external", "process");

    private ProcessBinding() {}

    /** Those that stand in a pool; null where its engines are started by others. */
    static Config.@Nullable Provisioning process(Section s) {
        String provisioning = s.choice(
                "provisioning",
                PROVISIONING,
                word -> word,
                PROVISIONING.get(0),
                "who starts its engines: somebody else, or the daemon");
        List<String> command = s.texts(
                "command",
                256,
                "program and arguments; {model}, {port}, {devices}, {ctx} and {slots} are filled in; a relative path counts from directory, else from this file");
        Map<String, String> env = s.textMap("env", 256, "environment variables of its engines");
        String directory = s.text("directory", null, "working directory of its engines; else the daemon's");
        Config.Provisioning limits =
                s.section("process", ProcessBinding::limits, "how its engines are started and ended");
        if (!s.reading()) {
            return limits;
        }
        boolean isProcess = provisioning.equals("process");
        if (!isProcess) {
            if (!command.isEmpty()) {
                s.problem("command", "is given, but nothing is started: set provisioning to process");
            }
            return null;
        }
        if (command.isEmpty()) {
            s.problem("command", "is missing: name the program and its arguments, as a list");
            return limits;
        }
        CommandTemplate template = template(s, command, env, directory);
        return template == null
                ? limits
                : new Config.Provisioning(
                        template,
                        limits.restarts(),
                        limits.startTimeoutMs(),
                        limits.stopGraceMs(),
                        limits.hangMs(),
                        limits.zombieMs());
    }

    private static @Nullable CommandTemplate template(
            Section s, List<String> command, Map<String, String> env, @Nullable String directory) {
        try {
            Path folder = directory == null ? null : ConfigBinding.resolve(Path.of(directory), s.origin("directory"));
            return new CommandTemplate(located(s, command, folder), env, folder);
        } catch (InvalidPathException e) {
            s.problem("directory", "not a path");
        } catch (IllegalArgumentException e) {
            s.problem("command", String.valueOf(e.getMessage()));
        }
        return null;
    }

    /** A program named by a relative path is looked for in the engine's folder, else in that of the file that names it. */
    private static List<String> located(Section s, List<String> command, @Nullable Path folder) {
        String program = command.get(0);
        if (folder != null || program.startsWith("/") || program.indexOf('/') < 0 || program.indexOf('{') >= 0) {
            return command;
        }
        List<String> all = new ArrayList<>(command);
        all.set(0, ConfigBinding.resolve(Path.of(program), s.origin("command")).toString());
        return all;
    }

    private static Config.Provisioning limits(Section s) {
        RestartPolicy.Limits d = RestartPolicy.Limits.DEFAULT;
        long base = s.number("restart_base_ms", 1, ConfigBinding.DAY_MS, d.baseMs(), "longest first wait, ms");
        long cap = s.number("restart_cap_ms", 1, ConfigBinding.DAY_MS, d.capMs(), "longest wait, ms");
        if (cap < base) {
            s.problem("restart_cap_ms", cap + " is below restart_base_ms, " + base);
            cap = base;
        }
        long vram = s.number(
                "restart_vram_ms",
                1,
                ConfigBinding.DAY_MS,
                Math.min(d.vramBaseMs(), cap),
                "least wait after GPU memory ran out, ms; at most restart_cap_ms");
        if (vram > cap) {
            s.problem("restart_vram_ms", vram + " is above restart_cap_ms, " + cap);
            vram = cap;
        }
        return new Config.Provisioning(
                new CommandTemplate(List.of("none"), Map.of(), null),
                new RestartPolicy.Limits(
                        base,
                        cap,
                        vram,
                        s.number(
                                "stable_ms",
                                1,
                                ConfigBinding.DAY_MS,
                                d.stableMs(),
                                "ready so long, and failures before are forgotten, ms"),
                        s.integer(
                                "storm_starts",
                                1,
                                10_000,
                                d.stormStarts(),
                                "starts within the window that are given up on"),
                        s.number(
                                "storm_window_ms", 1, 7L * ConfigBinding.DAY_MS, d.stormWindowMs(), "that window, ms")),
                s.number(
                        "start_timeout_ms",
                        1,
                        ConfigBinding.DAY_MS,
                        600_000,
                        "from the start until it must be ready, ms"),
                s.number("stop_grace_ms", 0, ConfigBinding.HOUR_MS, 10_000, "between TERM and KILL, ms"),
                s.number(
                        "hang_ms",
                        1,
                        ConfigBinding.DAY_MS,
                        60_000,
                        "without a good answer to a probe so long, and it is ended, ms"),
                s.number(
                        "zombie_ms",
                        1,
                        ConfigBinding.DAY_MS,
                        60_000,
                        "decodes that are not ours for so long, and it is ended once it runs none of ours, ms"));
    }

    /** Those that all of them share. */
    static Config.Processes processes(Section s) {
        int first = s.integer("first_port", 1, 65_535, 21_000, "first of the ports that they are given");
        int last = s.integer("last_port", 1, 65_535, 21_999, "last of these ports");
        if (last < first) {
            s.problem("last_port", last + " is below first_port, " + first);
            last = first;
        }
        return new Config.Processes(
                first,
                last,
                s.bytes(
                        "log_file_bytes",
                        0,
                        1L << 40,
                        16L << 20,
                        "size of an engine's log file, two are kept; 0: none"));
    }
}
