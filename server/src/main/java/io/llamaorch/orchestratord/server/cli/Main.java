package io.llamaorch.orchestratord.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** Entry point of the process. */
public final class Main {
    private Main() {}

    /** Runs the command and exits with its status. */
    public static void main(String[] args) {
        int status = run(args, new PrintWriter(System.out, true, UTF_8), new PrintWriter(System.err, true, UTF_8));
        System.out.flush();
        System.exit(status);
    }

    /** Runs the command. Writes results to {@code out}, problems to {@code err}. */
    static int run(String[] args, PrintWriter out, PrintWriter err) {
        ServeArguments plain = ServeArguments.parse(args);
        if (plain != null) {
            return ServeCommand.serve(plain.file(), plain.sets(), err);
        }
        return commandLine(out, err).execute(args);
    }

    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        return new CommandLine(new RootCommand()).setOut(out).setErr(err);
    }

    /**
     * The common form of {@code serve}, read by hand.
     *
     * @param file as given after {@code --config}
     * @param sets each {@code key=value}, in order
     */
    record ServeArguments(String file, List<String> sets) {

        /** Null where {@code args} are anything but {@code serve}, one {@code --config FILE}, any {@code --set K=V}. */
        static @Nullable ServeArguments parse(String[] args) {
            if (args.length < 2 || !args[0].equals("serve")) {
                return null;
            }
            String file = null;
            List<String> sets = new ArrayList<>();
            for (int i = 1; i < args.length; i++) {
                String arg = args[i];
                int equals = arg.indexOf('=');
                String name = arg.startsWith("--") && equals > 0 ? arg.substring(0, equals) : arg;
                boolean joined = name.length() < arg.length();
                if (!joined && i + 1 == args.length) {
                    return null;
                }
                String value = joined ? arg.substring(equals + 1) : args[++i];
                if (name.equals("--config") && file == null && !value.isEmpty() && !value.startsWith("-")) {
                    file = value;
                } else if (name.equals("--set") && !value.startsWith("-")) {
                    sets.add(value);
                } else {
                    return null;
                }
            }
            return file == null ? null : new ServeArguments(file, List.copyOf(sets));
        }
    }
}
