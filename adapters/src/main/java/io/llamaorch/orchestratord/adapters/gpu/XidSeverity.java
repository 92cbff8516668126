package io.llamaorch.orchestratord.adapters.gpu;

/** What an Xid, the number of an error that the NVIDIA driver reports, means for work on the GPU. */
public enum XidSeverity {
    /** The GPU, its memory or its link failed: work on it is lost, and more must not be sent. */
    CRITICAL,
    /** Usually a fault of the program that ran on it: the program ends by itself, the GPU goes on. */
    APPLICATION,
    /** To be looked at by a person; no conclusion is drawn. */
    OTHER;

    /**
     * Sorts an Xid. Source: NVIDIA, "XID Errors" (GPU deployment and management documentation): 48 double-bit ECC error,
     * 63 and 64 page retirement or row remapping, 74 NVLink error, 79 fallen off the bus, 94 and 95 contained and
     * uncontained ECC error; 13 engine exception, 31 memory page fault, 43 reset channel, 45 preemptive cleanup.
     *
     * @param xid 999 where the driver does not know it
     */
    public static XidSeverity of(int xid) {
        return switch (xid) {
            case 48, 63, 64, 74, 79, 94, 95 -> CRITICAL;
            case 13, 31, 43, 45 -> APPLICATION;
            default -> OTHER;
        };
    }
}
