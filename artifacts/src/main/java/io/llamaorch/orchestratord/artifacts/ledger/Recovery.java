package io.llamaorch.orchestratord.artifacts.ledger;

import java.util.List;

/**
 * What a start found in the ledger.
 *
 * @param open tasks that are not over, in the order of their admission
 * @param ended tasks that are over, the one that ended first comes first
 * @param records that were read
 * @param tookNs for that, ns
 */
public record Recovery(List<OpenTask> open, List<EndedTask> ended, long records, long tookNs) {
    /**
     * A task that is owed an end.
     *
     * @param task as it was accepted
     * @param exposed whether a client may have seen an event of it
     */
    public record OpenTask(AdmittedTask task, boolean exposed) {}
}
