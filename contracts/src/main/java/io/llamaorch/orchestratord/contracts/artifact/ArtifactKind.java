package io.llamaorch.orchestratord.contracts.artifact;

import org.jspecify.annotations.Nullable;

/** What an artifact is for whoever made it; the store treats all alike. */
public enum ArtifactKind {
    /** What is to be done. */
    PLAN("plan"),
    /** What was said or done, in short. */
    SUMMARY("summary"),
    /** A change. */
    DIFF("diff"),
    /** What happened, step by step; transcripts of tasks too. */
    TRACE("trace"),
    /** Anything else. */
    OTHER("other");

    private static final ArtifactKind[] VALUES = values();

    private final String wireName;

    ArtifactKind(String wireName) {
        this.wireName = wireName;
    }

    /** The word on the wire and on the disk. */
    public String wireName() {
        return wireName;
    }

    /** The constant with that wire name, or null. */
    public static @Nullable ArtifactKind fromWire(String name) {
        for (ArtifactKind value : VALUES) {
            if (value.wireName.equals(name)) {
                return value;
            }
        }
        return null;
    }
}
