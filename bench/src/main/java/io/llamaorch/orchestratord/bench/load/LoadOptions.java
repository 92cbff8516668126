package io.llamaorch.orchestratord.bench.load;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the command line says about a run. Filled once by picocli, then read only. */
final class LoadOptions {
    @Option(names = "--mode", description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    LoadMode mode = LoadMode.STREAM;

    @Option(names = "--host", description = "address (default: ${DEFAULT-VALUE})")
    String host = "127.0.0.1";

    @Option(names = "--port", required = true)
    int port;

    @Option(names = "--path", description = "path of the POST (default: /v1/tasks, or /completion in mode PROXY)")
    @Nullable
    String path;

    @Option(names = "--body", description = "body of the POST; {task_id} and {uuid} are filled in")
    @Nullable
    String body;

    @Option(
            names = "--dialect",
            description = "${COMPLETION-CANDIDATES} (default: LLAMACPP in mode PROXY, else DAEMON)")
    @Nullable
    Dialect dialect;

    @Option(names = "--connections", description = "default: ${DEFAULT-VALUE}")
    int connections = 64;

    @Option(names = "--requests", description = "at most so many after the warm-up; 0: by time alone")
    long requests;

    @Option(names = "--seconds", description = "length of the window at most (default: ${DEFAULT-VALUE})")
    double seconds = 10;

    @Option(names = "--warmup", description = "seconds under load that do not count (default: ${DEFAULT-VALUE})")
    double warmupSeconds;

    @Option(
            names = "--drain",
            description = "seconds given to what is under way at the end (default: ${DEFAULT-VALUE})")
    double drainSeconds = 10;

    @Option(names = "--timeout", description = "seconds for one request (default: ${DEFAULT-VALUE})")
    double timeoutSeconds = 60;

    @Option(names = "--tokens", description = "tokens of a task (default: ${DEFAULT-VALUE})")
    int tokens = 200;

    @Option(names = "--any-length", description = "a stream may have any number of tokens")
    boolean anyLength;

    @Option(names = "--rate", description = "requests a second by schedule (mode ADMIT); 0: closed loop")
    double rate;

    @Option(names = "--stamped", description = "tokens are stamps @<ns>: measure delivery")
    boolean stamped;

    @Option(names = "--api-key", description = "sent as X-API-Key")
    @Nullable
    String apiKey;

    @Option(names = "--model", description = "model_ref of a task (default: ${DEFAULT-VALUE})")
    String model = "hf:bench/simulator/model.gguf";

    @Option(names = "--ctx", description = "ctx of a task (default: ${DEFAULT-VALUE})")
    int ctx = 8192;

    @Option(names = "--deadline-ms", description = "deadline_ms of a task (default: ${DEFAULT-VALUE})")
    long deadlineMs = 3_600_000;

    @Option(names = "--pid", description = "process to measure, with its descendants")
    long pid;

    @Option(names = "--beside", description = "other process of this bench: not foreign load; may be repeated")
    List<Long> beside = new ArrayList<>();

    @Option(names = "--heap", description = "the measured process is a JVM: count its allocations")
    boolean heap;

    @Option(names = "--seed", description = "of the ids (default: from the clock)")
    long seed = System.nanoTime() ^ (ProcessHandle.current().pid() << 40);

    @Option(names = "--label", description = "printed with the result")
    String label = "";

    /** What does not fit together, in words; null when all does. */
    @Nullable
    String problem() {
        if (connections < 1 || connections > 20_000) {
            return "--connections " + connections + " is not in 1..20000";
        }
        if (seconds <= 0 || seconds > 3600 || warmupSeconds < 0 || drainSeconds < 0 || timeoutSeconds <= 0) {
            return "--seconds must be in (0, 3600], --warmup and --drain not negative, --timeout positive";
        }
        if (tokens < 1) {
            return "--tokens " + tokens + " is below 1";
        }
        if (rate < 0 || (rate > 0 && mode != LoadMode.ADMIT)) {
            return "--rate needs --mode ADMIT and is not negative";
        }
        if (heap && pid == 0) {
            return "--heap needs --pid";
        }
        return null;
    }

    Dialect dialect() {
        if (dialect != null) {
            return dialect;
        }
        return mode == LoadMode.PROXY ? Dialect.LLAMACPP : Dialect.DAEMON;
    }

    RequestTemplate post() {
        String target = path != null ? path : mode == LoadMode.PROXY ? "/completion" : "/v1/tasks";
        String text = body;
        if (text == null) {
            text = mode == LoadMode.PROXY ? proxyBody() : taskBody();
        }
        return RequestTemplate.post(target, host + ":" + port, keyHeader(), text);
    }

    RequestTemplate stream() {
        return RequestTemplate.get("/v1/tasks/{task_id}/stream", host + ":" + port, keyHeader());
    }

    private String taskBody() {
        return "{\"task_id\":\"{task_id}\",\"session_id\":\"{uuid}\",\"workload\":\"completion\",\"model_ref\":\""
                + model + "\",\"engine\":\"llamacpp\",\"ctx\":" + ctx
                + ",\"priority\":\"interactive\",\"prompt\":\"hi\",\"max_tokens\":" + tokens + ",\"deadline_ms\":"
                + deadlineMs + "}";
    }

    private String proxyBody() {
        return "{\"prompt\":\"hi\",\"n_predict\":" + tokens + ",\"max_tokens\":" + tokens
                + ",\"stream\":true,\"messages\":[]}";
    }

    private String keyHeader() {
        return apiKey == null ? "" : "X-API-Key: " + apiKey + "\r\n";
    }
}
