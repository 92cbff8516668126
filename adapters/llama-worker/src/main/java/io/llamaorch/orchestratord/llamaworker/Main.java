package io.llamaorch.orchestratord.llamaworker;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.ModelException;
import io.llamaorch.orchestratord.llamaworker.binding.NativeLibrary;
import io.llamaorch.orchestratord.llamaworker.binding.NativeLibraryException;
import io.llamaorch.orchestratord.llamaworker.engine.DecodeLoop;
import io.llamaorch.orchestratord.llamaworker.http.ListenException;
import io.llamaorch.orchestratord.llamaworker.http.Serving;
import io.llamaorch.orchestratord.llamaworker.http.WorkerServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Properties;

/**
 * The worker process. Says {@code listening on host:port} on standard output once it accepts connections and
 * {@code ready} once the model is loaded; all else goes to standard error. Ends on SIGTERM, or with an {@link ExitCode}.
 */
public final class Main {
    private Main() {}

    /** Starts the worker; arguments as in {@code --help}. */
    public static void main(String[] args) {
        if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
            out().print(WorkerArguments.USAGE);
            return;
        }
        try {
            run(WorkerArguments.parse(args));
        } catch (WorkerExit e) {
            stop(e.code(), e);
        } catch (NativeLibraryException e) {
            stop(ExitCode.NATIVE_UNAVAILABLE, e);
        } catch (ModelException e) {
            stop(ExitCode.MODEL_REFUSED, e);
        } catch (ListenException e) {
            stop(ExitCode.CANNOT_LISTEN, e);
        } catch (RuntimeException | IOException e) {
            stop(ExitCode.BROKEN, e);
        }
    }

    private static void run(WorkerArguments args)
            throws WorkerExit, NativeLibraryException, ModelException, ListenException, IOException {
        GgufFile.check(args.model());
        WorkerServer server = new WorkerServer(args.host(), args.port());
        onShutdown("close-server", server::close);
        out().println("listening on " + args.host().getHostAddress() + ":" + server.port());
        NativeLibrary library = NativeLibrary.open();
        LlamaModel model = LlamaModel.load(library, args.model(), line -> err().println("llama.cpp: " + line));
        int ctx = args.ctx() > 0 ? args.ctx() : Math.min(model.ctxTrain(), WorkerArguments.CTX_DEFAULT_MAX);
        DecodeLoop loop = new DecodeLoop(model, ctx, args.slots(), args.queue(), args.threads());
        loop.start((thread, e) -> stop(ExitCode.BROKEN, e));
        onShutdown("close-decode", loop::close);
        String build = "worker-" + version() + "-llama.cpp-" + library.build();
        server.serve(new Serving(model, loop, args.model().toString(), build));
        out().println("ready");
    }

    private static void onShutdown(String name, Runnable close) {
        Runtime.getRuntime().addShutdownHook(new Thread(close, name));
    }

    private static String version() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Main.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        }
        return properties.getProperty("version", "unknown");
    }

    /** Ends the process: the line's second word is for what supervises it, the rest for people. */
    private static void stop(ExitCode code, Throwable why) {
        String message = code == ExitCode.BROKEN ? why.toString() : why.getMessage();
        err().println("llama-worker: " + code.label() + ": " + message);
        Runtime.getRuntime().exit(code.number());
    }

    @SuppressWarnings("SystemOut")
    private static PrintStream out() {
        return System.out;
    }

    @SuppressWarnings("SystemOut")
    private static PrintStream err() {
        return System.err;
    }
}
