package io.llamaorch.orchestratord.bench.load;

import java.util.List;

/**
 * What had been used when it was taken.
 *
 * @param targetCpuNs processor time of the measured process
 * @param targetRssBytes its resident bytes
 * @param loaderCpuNs processor time of the load generator
 * @param besideCpuNs processor time of the bench's other processes
 * @param hostBusyNs processor time of all
 * @param allocatedBytes heap bytes allocated by the measured process, or 0
 */
record Snapshot(
        long targetCpuNs,
        long targetRssBytes,
        long loaderCpuNs,
        long besideCpuNs,
        long hostBusyNs,
        long allocatedBytes) {

    /** @param pid measured process, or 0 */
    static Snapshot take(long pid, List<Long> beside, long allocatedBytes) {
        return new Snapshot(
                pid == 0 ? 0 : ProcFs.cpuNs(pid),
                pid == 0 ? 0 : ProcFs.rssBytes(pid),
                ProcFs.cpuNs(ProcessHandle.current().pid()),
                ProcFs.cpuNs(beside),
                ProcFs.hostBusyNs(),
                allocatedBytes);
    }
}
