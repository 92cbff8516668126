package io.llamaorch.orchestratord.server.config;

/**
 * Where a value comes from.
 *
 * @param layer which layer gave it
 * @param name file name, environment variable, or the {@code --set} argument's key; empty for a default
 * @param line 1-based line in a file, 0 elsewhere
 * @param column 1-based column in a file, 0 elsewhere
 */
public record Origin(Layer layer, String name, int line, int column) {

    /** A value that nobody gave. */
    public static final Origin DEFAULT = new Origin(Layer.DEFAULT, "", 0, 0);

    /** The layers, weakest first. */
    public enum Layer {
        /** Built in. */
        DEFAULT,
        /** The configuration file, or a file that it names. */
        FILE,
        /** A variable {@code ORCHESTRATORD_…}. */
        ENVIRONMENT,
        /** A {@code --set key=value} argument. */
        SET
    }

    /** {@code file:line:column}, {@code ORCHESTRATORD_LISTEN}, {@code --set listen}, or {@code default}. */
    @Override
    public String toString() {
        return switch (layer) {
            case FILE -> line == 0 ? name : name + ":" + line + ":" + column;
            case ENVIRONMENT -> name;
            case SET -> "--set " + name;
            case DEFAULT -> "default";
        };
    }
}
