package io.llamaorch.orchestratord.scheduler.core;

/**
 * The right of one task to occupy one slot.
 *
 * @param poolIndex pool in the order of the configuration
 * @param replicaIndex replica within the pool, in the order of the configuration
 * @param slotIndex 0-based, below the replica's slot count
 * @param grantedAtNs scheduler time, ns
 */
public record Lease(int poolIndex, int replicaIndex, int slotIndex, long grantedAtNs) {
    public Lease {
        if (slotIndex < 0) {
            throw new IllegalArgumentException("slotIndex < 0: " + slotIndex);
        }
    }
}
