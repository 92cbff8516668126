package io.llamaorch.orchestratord.server.config;

import static java.util.Locale.ROOT;

import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys of the configuration: type, range, default and meaning of each, in one place. The JSON Schema in
 * {@code contracts/schemas/config.schema.json} is written from here.
 */
final class ConfigBinding {
    private static final int KIB = 1 << 10;
    static final int MIB = 1 << 20;
    private static final long GIB = 1L << 30;
    private static final int GIB_INT = 1 << 30;
    static final int HOUR_MS = 3_600_000;
    static final int DAY_MS = 24 * HOUR_MS;
    private static final int NAME_MAX = 64;

    private ConfigBinding() {}

    /** The whole file. */
    static Config bind(Section s) {
        ListenAddress listen = listen(s);
        Path stateDir = path(
                s, "state_dir", "./state", "folder of what survives a restart; relative to the file that names it");
        return new Config(
                listen,
                stateDir,
                word(
                        s,
                        "durability",
                        Config.Durability.SYNC,
                        "what a 202 promises: sync, the task survives a loss of power; async, the end of the process; off,"
                                + " nothing"),
                s.section("auth", ConfigBinding::auth, "who may call; with no key only loopback may be listened on"),
                s.list("pools", 1, 256, PoolBinding::pool, "pools of engine replicas that serve one model each"),
                s.section("outbound", ConfigBinding::outbound, "where the daemon may connect to"),
                s.section("processes", ProcessBinding::processes, "engines that the daemon starts"),
                s.section("http", ConfigBinding::http, "limits on what clients send"),
                eventLoops(s.integer("event_loops", 0, 64, 0, "I/O threads; 0: half the cores, 1 to 8")),
                word(s, "transport", Config.Transport.AUTO, "how sockets are driven"),
                s.section("scheduler", ConfigBinding::scheduler, "the ring before the scheduler"),
                s.section("sessions", UsageBinding::sessions, "how long sessions are kept, and how many"),
                s.section("limits", UsageBinding::limits, "how fast each key may ask"),
                s.section("budgets", UsageBinding::keyBudgets, "how much each key and each session may use"),
                s.section("streams", ConfigBinding::streams, "limits and periods of streams and transcripts"),
                s.section("ledger", ConfigBinding::ledger, "where accepted tasks are on record: ledger in state_dir"),
                s.section("artifacts", a -> ArtifactBinding.artifacts(a, stateDir), "the artifact store"),
                s.section(
                        "transcripts", t -> TranscriptBinding.transcripts(t, stateDir), "the streams of tasks on disk"),
                s.section("shutdown", ConfigBinding::shutdown, "how the daemon stops on SIGTERM"),
                s.section("log", ConfigBinding::log, "what is logged to standard error"),
                s.section(
                        "metrics",
                        m -> new Config.Metrics(m.flag("jvm", true, "series of the JVM and the process")),
                        "what /metrics shows"),
                s.section("gpu", GpuBinding::gpu, "how the host's NVIDIA GPUs are watched"),
                s.section("watchdog", ConfigBinding::watchdog, "how threads that must not block are watched"));
    }

    private static Config.Watchdog watchdog(Section s) {
        return new Config.Watchdog(s.integer(
                "blocked_ms",
                10,
                HOUR_MS,
                500,
                "an event loop or the scheduler that is this late is logged with its stack, ms"));
    }

    private static ListenAddress listen(Section s) {
        String text = s.text("listen", "127.0.0.1:8080", "address and port of HTTP, such as 127.0.0.1:8080 or [::1]:0");
        ListenAddress address = ListenAddress.parse(text == null ? "" : text);
        if (address == null) {
            s.problem("listen", "must be host:port such as 127.0.0.1:8080, not " + Words.quote(String.valueOf(text)));
            return new ListenAddress("127.0.0.1", 0);
        }
        return address;
    }

    private static Config.Auth auth(Section s) {
        s.text("keys_file", null, "YAML file that holds the list of keys, instead of keys");
        return new Config.Auth(
                s.list("keys", 0, 1024, ConfigBinding::key, "keys, known by their digests"),
                s.flag("loopback_bypass", false, "callers on the loopback address need no key"),
                s.flag("ops_require_key", false, "/metrics, /livez and /readyz need a key"));
    }

    /** One entry of {@code auth.keys} or of a keys file. */
    static Config.ApiKey key(Section s) {
        String name = name(s, "name", "what logs call the key");
        String sha256 = s.requiredText("sha256", "SHA-256 of the key in hexadecimal: printf %s KEY | sha256sum")
                .toLowerCase(ROOT);
        if (s.reading() && !sha256.isEmpty() && !sha256.matches("[0-9a-f]{64}")) {
            s.problem("sha256", "must be 64 hexadecimal digits: printf %s \"$KEY\" | sha256sum");
        }
        List<Config.Scope> scopes = s.choices(
                "scopes",
                Arrays.asList(Config.Scope.values()),
                ConfigBinding::lower,
                List.of(Config.Scope.DATA),
                "what the key may do; control: also see and cancel what other keys made");
        return new Config.ApiKey(name, sha256, scopes, UsageBinding.grant(s));
    }

    private static Config.Outbound outbound(Section s) {
        List<String> allow = s.texts(
                "allow",
                1024,
                "hosts, *.domains, addresses and networks (10.0.0.0/8); empty: those that the pools name");
        for (String entry : allow) {
            try {
                OutboundPolicy.of(List.of(), List.of(entry));
            } catch (IllegalArgumentException e) {
                s.problem("allow", String.valueOf(e.getMessage()));
            }
        }
        return new Config.Outbound(
                allow,
                s.choices(
                        "schemes",
                        List.of("http", "https"),
                        word -> word,
                        List.of("http", "https"),
                        "used with allow"));
    }

    private static Config.Http http(Section s) {
        return new Config.Http(
                s.intBytes("request_line_bytes", 128, 64 * KIB, 8 * KIB, "longest request line"),
                s.intBytes("header_line_bytes", 128, 64 * KIB, 8 * KIB, "longest header line"),
                s.intBytes("header_bytes", 512, MIB, 16 * KIB, "all header lines of a request together"),
                s.integer("header_count", 8, 1_000, 64, "most header lines of a request"),
                s.intBytes("body_bytes", KIB, 256 * MIB, MIB, "longest body"),
                s.integer("idle_ms", 1, DAY_MS, 75_000, "a connection without a request is closed after this, ms"),
                s.integer(
                        "head_timeout_ms", 1, HOUR_MS, 10_000, "first byte of a request to the end of its header, ms"),
                s.integer("body_timeout_ms", 1, HOUR_MS, 30_000, "end of the header to the end of the body, ms"),
                s.intBytes("pipelined_bytes", KIB, 16 * MIB, 64 * KIB, "most unanswered bytes read ahead"),
                s.integer("pipelined_requests", 1, 1_024, 32, "most unanswered requests read ahead"),
                s.integer("connections", 1, 1_000_000, 10_000, "most client connections at once"));
    }

    private static Config.Scheduler scheduler(Section s) {
        return new Config.Scheduler(
                powerOfTwo(s, "ring_size", 1_024, 1 << 24, 1 << 16, "events in the ring, a power of two"),
                word(
                        s,
                        "wait_strategy",
                        Config.WaitStrategy.PARKING,
                        "how its thread waits; yielding and busy_spin burn a core"),
                s.integer("tick_ms", 1, 1_000, 5, "longest time between two looks at deadlines, ms"));
    }

    private static Config.Streams streams(Section s) {
        return new Config.Streams(
                s.integer("heartbeat_ms", 100, HOUR_MS, 15_000, "longest silence before a comment line, ms"),
                s.integer("metrics_period_ms", 10, HOUR_MS, 1_000, "between two metrics events, ms"),
                s.integer("reader_stall_ms", 100, HOUR_MS, 60_000, "a reader that takes nothing this long is cut, ms"),
                s.bytes(
                        "reader_lag_bytes",
                        64 * KIB,
                        GIB,
                        4L * MIB,
                        "a reader this far behind the stream's head is cut"),
                s.section("disconnect_grace_ms", ConfigBinding::grace, "how long a task outlives its last reader, ms"),
                s.integer("retained_tasks", 0, 1_000_000, 10_000, "ended tasks kept in memory"),
                s.bytes("retained_bytes", MIB, 64 * GIB, 256L * MIB, "transcripts kept in memory"),
                s.number("retained_ms", 0, 7L * DAY_MS, HOUR_MS, "how long ended tasks are kept in memory, ms"),
                s.integer("token_queue_slabs", 2, 1_024, 16, "buffers of one stream between engine and reader"));
    }

    private static Config.Ledger ledger(Section s) {
        int segmentBytes = s.intBytes("segment_bytes", 64 * KIB, GIB_INT, 8 * MIB, "length of one of its files");
        long maxBytes = s.bytes(
                "max_bytes", MIB, 64 * GIB, 256L * MIB, "all of its files; open and retained tasks may take half");
        if (maxBytes < 4L * segmentBytes) {
            s.problem("max_bytes", maxBytes + " is below four times segment_bytes, " + segmentBytes);
        }
        return new Config.Ledger(
                s.integer("queue", 1, 1_000_000, 16_384, "most tasks that wait to be put on record"),
                s.bytes("queue_bytes", KIB, 4 * GIB, 64L * MIB, "most bytes of their requests"),
                segmentBytes,
                maxBytes,
                s.integer("sync_period_ms", 1, 60_000, 1_000, "durability async: longest time without a sync, ms"));
    }

    private static Config.DisconnectGrace grace(Section s) {
        return new Config.DisconnectGrace(
                s.number("interactive", -1, DAY_MS, 0, "of interactive tasks, ms; -1: for ever"),
                s.number("batch", -1, DAY_MS, -1, "of batch tasks, ms; -1: for ever"));
    }

    private static Config.Shutdown shutdown(Section s) {
        return new Config.Shutdown(
                s.integer("lame_duck_ms", 0, HOUR_MS, 0, "between /readyz turning 503 and refusing tasks, ms"),
                s.integer("drain_deadline_ms", 0, DAY_MS, 30_000, "how long streams may go on after that, ms"));
    }

    private static Config.Log log(Section s) {
        return new Config.Log(
                word(s, "level", Config.LogLevel.INFO, "least severe level that is written"),
                word(s, "format", Config.LogFormat.AUTO, "auto: text on a terminal, else JSON Lines"),
                powerOfTwo(s, "ring_size", 128, 1 << 20, 8_192, "events waiting to be written, a power of two"),
                s.section("access", ConfigBinding::accessLog, "a line for each request, in a file of its own"));
    }

    private static Config.@Nullable AccessLog accessLog(Section s) {
        String file = s.text("file", null, "the file, in a folder that exists; without it there is no access log");
        Config.AccessLog log = new Config.AccessLog(
                path(s, "file", file == null ? "" : file),
                s.bytes("file_bytes", 64 * KIB, 64 * GIB, 64L * MIB, "a file this long becomes FILE.1"),
                s.integer("files", 1, 1_000, 5, "how many are kept; the oldest goes"),
                powerOfTwo(s, "queue_size", 128, 1 << 20, 8_192, "lines waiting to be written, a power of two"));
        return file == null ? null : log;
    }

    private static int eventLoops(int asked) {
        return asked > 0 ? asked : Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 8);
    }

    private static int powerOfTwo(Section s, String key, int min, int max, int byDefault, String doc) {
        int value = s.integer(key, min, max, byDefault, doc);
        if (Integer.bitCount(value) != 1) {
            s.problem(key, value + " is not a power of two; " + Integer.highestOneBit(value) * 2 + " is the next");
            return byDefault;
        }
        return value;
    }

    static String name(Section s, String key, String doc) {
        String value = s.requiredText(key, doc);
        if (s.reading() && !value.isEmpty() && !value.matches("[A-Za-z0-9][A-Za-z0-9._-]{0," + (NAME_MAX - 1) + "}")) {
            s.problem(key, "must be 1 to " + NAME_MAX + " letters, digits, '.', '_' or '-', not " + Words.quote(value));
        }
        return value;
    }

    private static Path path(Section s, String key, String byDefault, String doc) {
        String text = s.text(key, byDefault, doc);
        return path(s, key, text == null ? byDefault : text);
    }

    private static Path path(Section s, String key, String text) {
        try {
            return resolve(Path.of(text), s.origin(key));
        } catch (InvalidPathException e) {
            s.problem(key, "not a path");
            return Path.of("").toAbsolutePath();
        }
    }

    /** A path in a file counts from that file's folder; one in the environment or an argument from the working one. */
    static Path resolve(Path path, Origin origin) {
        Path folder = origin.layer() == Origin.Layer.FILE
                ? Path.of(origin.name()).toAbsolutePath().getParent()
                : null;
        return (folder == null ? path.toAbsolutePath() : folder.resolve(path)).normalize();
    }

    private static <E extends Enum<E>> E word(Section s, String key, E byDefault, String doc) {
        return s.choice(
                key,
                Arrays.asList(byDefault.getDeclaringClass().getEnumConstants()),
                ConfigBinding::lower,
                byDefault,
                doc);
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(ROOT);
    }
}
