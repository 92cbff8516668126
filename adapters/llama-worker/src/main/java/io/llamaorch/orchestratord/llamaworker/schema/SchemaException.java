package io.llamaorch.orchestratord.llamaworker.schema;

/** A schema that can't be turned into a grammar; the message names the keyword or the limit. */
public final class SchemaException extends Exception {
    private static final long serialVersionUID = 1L;

    SchemaException(String message) {
        super(message, null, false, false);
    }
}
