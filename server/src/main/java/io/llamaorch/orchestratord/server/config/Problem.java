package io.llamaorch.orchestratord.server.config;

/**
 * One finding in a configuration.
 *
 * @param at where the offending key or value is
 * @param path key in dotted form, such as {@code pools.0.queue.capacity}; empty for the file as a whole
 * @param message what is wrong and what to do, one sentence, without secrets
 */
public record Problem(Origin at, String path, String message) {

    /** {@code place: path: message}, as compilers print it. */
    @Override
    public String toString() {
        return at + ": " + (path.isEmpty() ? "" : path + ": ") + message;
    }
}
