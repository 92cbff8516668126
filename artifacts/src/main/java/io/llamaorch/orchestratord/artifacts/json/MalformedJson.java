package io.llamaorch.orchestratord.artifacts.json;

/** A text that is not JSON, or has no one canonical form. The message tells what and where, and nothing of the text. */
public final class MalformedJson extends Exception {
    private static final long serialVersionUID = 1;

    private final String pointer;

    /**
     * One fault.
     *
     * @param pointer JSON pointer of the value at fault, empty for the whole
     * @param message what is wrong, as a predicate: {@code stands twice}
     */
    public MalformedJson(String pointer, String message) {
        super(message, null, false, false);
        this.pointer = pointer;
    }

    /** Where it is. */
    public String pointer() {
        return pointer;
    }

    /** What is wrong, as a predicate. */
    public String problem() {
        return String.valueOf(getMessage());
    }
}
