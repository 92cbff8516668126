package io.llamaorch.orchestratord.adapters.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How an engine is started: a list of arguments with places to fill in. There is no shell and no word splitting: one
 * element stays one argument, whatever is filled in. Immutable; two templates of the same text are equal.
 *
 * <p>Places are {@code {model} {port} {devices} {ctx} {slots}}, in arguments and in values of environment variables;
 * <code>{{</code> and <code>}}</code> stand for one brace.
 *
 * @param arguments the program first, by path or by name to be found in PATH
 * @param environment variables added to the daemon's own
 * @param directory where it runs, null for the daemon's own directory
 */
public record CommandTemplate(List<String> arguments, Map<String, String> environment, @Nullable Path directory) {
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final String DEVICES = "CUDA_VISIBLE_DEVICES";
    private static final String DEVICE_ORDER = "CUDA_DEVICE_ORDER";
    private static final String PLACES = "{model}, {port}, {devices}, {ctx}, {slots}";

    /**
     * What is filled in.
     *
     * @param model path or name of the model
     * @param devices device mask as in {@code 0,1}, empty for an engine without devices
     * @param ctx context of one slot, tokens
     * @param slots decodes at once
     */
    public record Values(String model, String devices, int ctx, int slots) {}

    /**
     * Checks the whole template.
     *
     * @throws IllegalArgumentException with a sentence that names the argument or variable and the column, from 1
     */
    public CommandTemplate {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        if (arguments.isEmpty() || arguments.get(0).isEmpty()) {
            throw new IllegalArgumentException("the command is empty; its first element is the program");
        }
        Values none = new Values("", "", 0, 0);
        for (int i = 0; i < arguments.size(); i++) {
            fill("command[" + i + "]", arguments.get(i), none, 0);
        }
        environment.forEach((name, value) -> {
            if (!VARIABLE.matcher(name).matches()) {
                throw new IllegalArgumentException("\"" + name + "\" cannot be the name of an environment variable");
            }
            if (name.startsWith(EngineGuard.MARK)) {
                throw new IllegalArgumentException(name + " is set by the daemon and cannot be configured");
            }
            fill("environment " + name, value, none, 0);
        });
    }

    /**
     * The command of one start. Looks at the file system.
     *
     * @throws IOException with a sentence, when the program is not a file that can be executed, when the directory is
     *     none, or when the device mask and the environment contradict each other
     */
    public EngineCommand resolve(Values values, int port) throws IOException {
        Path where = directory;
        if (where != null && !Files.isDirectory(where)) {
            throw new IOException("the engine's working directory " + where + " is not a directory");
        }
        List<String> argv = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            argv.add(fill("command[" + i + "]", arguments.get(i), values, port));
        }
        Map<String, String> added = new LinkedHashMap<>();
        environment.forEach((name, value) -> added.put(name, fill("environment " + name, value, values, port)));
        if (!values.devices().isEmpty()) {
            String own = added.putIfAbsent(DEVICES, values.devices());
            if (own != null && !own.equals(values.devices())) {
                throw new IOException(DEVICES + " is " + own + " in the engine's environment and " + values.devices()
                        + " by its device mask; remove one of them");
            }
            // Without it CUDA numbers the fastest device first, and the mask would mean other devices than NVML's.
            added.putIfAbsent(DEVICE_ORDER, "PCI_BUS_ID");
        }
        String path = added.getOrDefault("PATH", System.getenv().getOrDefault("PATH", ""));
        argv.set(0, executable(argv.get(0), path, where));
        return new EngineCommand(argv, added, where);
    }

    private static String executable(String program, String path, @Nullable Path directory) throws IOException {
        if (program.indexOf('/') >= 0) {
            Path file = Path.of(program);
            if (!file.isAbsolute() && directory != null) {
                file = directory.resolve(file);
            }
            file = file.toAbsolutePath();
            if (!Files.exists(file)) {
                throw new IOException("the engine's program " + file + " does not exist");
            }
            if (!Files.isRegularFile(file)) {
                throw new IOException("the engine's program " + file + " is not a file");
            }
            if (!Files.isExecutable(file)) {
                throw new IOException("the engine's program " + file + " cannot be executed by this user");
            }
            return file.toString();
        }
        for (String folder : path.split(":", -1)) {
            Path file = Path.of(folder.isEmpty() ? "." : folder, program).toAbsolutePath();
            if (Files.isRegularFile(file) && Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new IOException("the engine's program " + program + " was not found in PATH (" + path + ")");
    }

    private static String fill(String where, String text, Values values, int port) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == '\0') {
                throw new IllegalArgumentException(where + ", column " + (i + 1) + ": a NUL character");
            }
            if (c != '{' && c != '}') {
                out.append(c);
                i++;
            } else if (i + 1 < text.length() && text.charAt(i + 1) == c) {
                out.append(c);
                i += 2;
            } else if (c == '}') {
                throw new IllegalArgumentException(
                        where + ", column " + (i + 1) + ": a single }; write }} for the character");
            } else {
                int end = text.indexOf('}', i);
                if (end < 0) {
                    throw new IllegalArgumentException(where + ", column " + (i + 1)
                            + ": { without }; write {{ for the character, or one of " + PLACES);
                }
                out.append(value(where, i + 1, text.substring(i + 1, end), values, port));
                i = end + 1;
            }
        }
        return out.toString();
    }

    private static String value(String where, int column, String place, Values values, int port) {
        return switch (place) {
            case "model" -> values.model();
            case "port" -> Integer.toString(port);
            case "devices" -> values.devices();
            case "ctx" -> Integer.toString(values.ctx());
            case "slots" -> Integer.toString(values.slots());
            default ->
                throw new IllegalArgumentException(
                        where + ", column " + column + ": {" + place + "} is unknown; there are " + PLACES);
        };
    }
}
