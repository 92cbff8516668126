package io.llamaorch.orchestratord.llamaworker;

import io.llamaorch.orchestratord.llamaworker.engine.DecodeLoop;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The command line.
 *
 * @param model the GGUF file
 * @param host address to listen on
 * @param port 0 for any
 * @param ctx context of one slot, tokens; 0: the model's own, at most {@value #CTX_DEFAULT_MAX}
 * @param slots decodes at once
 * @param threads threads that llama.cpp computes with
 * @param queue completions that may wait for a slot
 */
record WorkerArguments(Path model, InetAddress host, int port, int ctx, int slots, int threads, int queue) {
    static final int CTX_DEFAULT_MAX = 4096;
    static final String USAGE =
            """
            llama-worker --model FILE [--host 127.0.0.1] [--port 8080] [--ctx N] [--slots N] [--threads N] [--queue N]
              --model FILE   the GGUF file to serve
              --host ADDR    address to listen on; loopback unless told otherwise. There are no keys: whoever can
                             connect can use it
              --port N       0 takes any; it is printed
              --ctx N        context of each slot, tokens; 0 (default): the model's, at most 4096
              --slots N      decodes at once, 1 (default) to 128; each takes its own context of memory
              --threads N    threads to compute with; default: as many as there are CPUs
              --queue N      requests that may wait for a slot, 64 by default; past it 503
            """;

    private static final Set<String> KNOWN =
            Set.of("--model", "--host", "--port", "--ctx", "--slots", "--threads", "--queue");
    private static final int QUEUE_DEFAULT = 64;

    static WorkerArguments parse(String... args) throws WorkerExit {
        TreeMap<String, String> given = new TreeMap<>();
        for (int i = 0; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            String name = equals < 0 ? args[i] : args[i].substring(0, equals);
            if (!KNOWN.contains(name)) {
                throw usage("unknown argument " + args[i]);
            }
            if (equals < 0 && ++i == args.length) {
                throw usage(name + " needs a value");
            }
            given.put(name, equals < 0 ? args[i] : args[i].substring(equals + 1));
        }
        String model = given.get("--model");
        if (model == null || model.isEmpty()) {
            throw usage("--model is missing");
        }
        return new WorkerArguments(
                Path.of(model),
                host(given.getOrDefault("--host", "127.0.0.1")),
                number("--port", given.get("--port"), 8080, 0, 65_535),
                number("--ctx", given.get("--ctx"), 0, 0, 1 << 22),
                number("--slots", given.get("--slots"), 1, 1, DecodeLoop.BATCH_MAX),
                number("--threads", given.get("--threads"), Runtime.getRuntime().availableProcessors(), 1, 512),
                number("--queue", given.get("--queue"), QUEUE_DEFAULT, 0, 1 << 16));
    }

    private static InetAddress host(String host) throws WorkerExit {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw usage("--host " + host + " is no address");
        }
    }

    private static int number(String name, @Nullable String given, int otherwise, int least, int most)
            throws WorkerExit {
        if (given == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(given);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, as for a number out of range.
        }
        throw usage(name + " " + given + " is not a number within " + least + " and " + most);
    }

    private static WorkerExit usage(String problem) {
        return new WorkerExit(ExitCode.USAGE, problem + "\n" + USAGE);
    }
}
