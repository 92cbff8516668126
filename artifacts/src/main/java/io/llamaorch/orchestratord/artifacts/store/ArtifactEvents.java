package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.contracts.error.ApiError;

/** Told what happens in the store; on its threads, must not block. */
public interface ArtifactEvents {
    /** Why something was removed; a bounded word. */
    enum Removed {
        /** A reference was old, not pinned and no parent. */
        AGE("age"),
        /** Bytes had no reference: what a crash or a failed put had left. */
        ORPHAN("orphan");

        private final String label;

        Removed(String label) {
            this.label = label;
        }

        /** The metric's label. */
        public String label() {
            return label;
        }
    }

    /** A reference is durable for the first time. */
    default void onStored(ArtifactRef ref) {}

    /** A put or a read was refused; the label names the limit. */
    default void onRefused(ApiError error) {}

    /** Something was removed. */
    default void onRemoved(Removed why, long bytes) {}

    /** Bytes did not match their digest and were set aside. */
    default void onCorrupt(Digest digest) {}

    /** The disk failed; nothing was acknowledged. */
    default void onDiskFailure(String operation, Throwable failure) {}

    /** A defect on one of the store's threads. */
    default void onDefect(Throwable defect) {}
}
