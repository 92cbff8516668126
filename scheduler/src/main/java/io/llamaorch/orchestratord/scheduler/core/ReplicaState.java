package io.llamaorch.orchestratord.scheduler.core;

/** Whether a replica can take work, as the last probe found it. */
public enum ReplicaState {
    /** It answers and has its model. */
    READY,
    /** It answers, and its model is still loading; also every replica before its first probe. */
    LOADING,
    /** It does not answer. */
    DOWN
}
