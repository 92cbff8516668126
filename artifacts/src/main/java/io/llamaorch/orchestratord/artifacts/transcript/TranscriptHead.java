package io.llamaorch.orchestratord.artifacts.transcript;

/** What is known of a task at its end: one JSON document, a member of which is the task's state as it is answered. */
public final class TranscriptHead {
    private final byte[] json;
    private final int stateFrom;
    private final int stateTo;

    /**
     * A head.
     *
     * @param json the document in UTF-8, without line ends; the head's from now on
     * @param stateFrom where in it the state's object begins
     * @param stateTo where it ends
     */
    public TranscriptHead(byte[] json, int stateFrom, int stateTo) {
        if (stateFrom < 0 || stateTo < stateFrom || stateTo > json.length) {
            throw new IllegalArgumentException("a state outside of its document");
        }
        for (byte octet : json) {
            if (octet == '\n' || octet == '\r') {
                throw new IllegalArgumentException("a document of several lines");
            }
        }
        this.json = json;
        this.stateFrom = stateFrom;
        this.stateTo = stateTo;
    }

    /** The document; not to be changed. */
    byte[] json() {
        return json;
    }

    int stateFrom() {
        return stateFrom;
    }

    int stateTo() {
        return stateTo;
    }
}
