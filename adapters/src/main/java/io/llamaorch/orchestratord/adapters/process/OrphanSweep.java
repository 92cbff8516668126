package io.llamaorch.orchestratord.adapters.process;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends what an earlier daemon left: its guards do so by themselves, so this is for a daemon whose guards were killed along
 * with it. Engines of a daemon that lives, and of other pid namespaces, are not touched.
 */
public final class OrphanSweep {
    private static final long KILL_MS = 5_000;
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private OrphanSweep() {}

    /**
     * Gives the guards of a dead daemon {@code graceMs} to finish, then kills what is left. Blocks; call it at start, before
     * a port is leased.
     *
     * @return pids that it killed or, after another five seconds, could not kill
     */
    public static List<Long> run(long graceMs) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(graceMs);
        List<ProcessTable.Entry> orphans = orphans();
        while (!orphans.isEmpty() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(POLL_NS);
            orphans = orphans();
        }
        List<Long> pids = ProcessTable.pids(orphans);
        ProcessTable.kill(OrphanSweep::orphans, KILL_MS);
        return pids;
    }

    private static List<ProcessTable.Entry> orphans() {
        List<ProcessTable.Entry> all = ProcessTable.living();
        Set<Long> sessions = new HashSet<>();
        Set<Long> marked = new HashSet<>();
        for (ProcessTable.Entry entry : all) {
            String mark = ProcessTable.mark(entry.pid());
            if (mark != null && EngineToken.isOrphan(mark)) {
                marked.add(entry.pid());
                // What writes over its environment to show a title is found by the session, where that is the engine's.
                String session = ProcessTable.variable(entry.pid(), EngineGuard.SESSION);
                if (Long.toString(entry.session()).equals(session)) {
                    sessions.add(entry.session());
                }
            }
        }
        return ProcessTable.closure(all, entry -> marked.contains(entry.pid()) || sessions.contains(entry.session()));
    }
}
