package io.llamaorch.orchestratord.adapters.gpu;

import java.util.OptionalInt;

/**
 * Something that happened to a GPU.
 *
 * @param kind what
 * @param index NVML's index of the GPU
 * @param uuid of the GPU
 * @param xid the Xid of {@link Kind#XID}; absent for the others
 * @param severity {@link XidSeverity#CRITICAL} where replicas on this GPU are unhealthy from now on
 */
public record GpuEvent(Kind kind, int index, String uuid, OptionalInt xid, XidSeverity severity) {

    /** Kinds of events. */
    public enum Kind {
        /** The driver reported an Xid. */
        XID,
        /** An ECC error that could not be corrected. */
        DOUBLE_BIT_ECC,
        /** The driver declares the GPU unavailable (drivers that tell; others send the Xid alone). */
        UNAVAILABLE,
        /** The driver asks for an action such as a reset (drivers that tell). */
        RECOVERY_ACTION,
        /** A sample found that it has fallen off the bus or must be reset. */
        LOST
    }
}
