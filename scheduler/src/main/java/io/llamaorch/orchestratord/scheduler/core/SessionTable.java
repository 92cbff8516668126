package io.llamaorch.orchestratord.scheduler.core;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where each session last ran: a bounded map in order of last placement. Owned by the scheduler's thread.
 *
 * <p>Iteration is in insertion order, so what is dropped does not depend on hashes.
 */
final class SessionTable {
    private final int max;
    private final LinkedHashMap<UUID, Place> places = new LinkedHashMap<>();

    SessionTable(int max) {
        this.max = max;
    }

    /** The last place of one session. */
    static final class Place {
        int pool;
        int replica;
        /** {@link ReplicaRuntime#starts} just after the session's own last start there. */
        long starts;

        long epoch;
        /** Whether the session's last task there got to decode and has ended. */
        boolean settled;
    }

    @Nullable
    Place find(UUID session) {
        return places.get(session);
    }

    /** Notes that a task of the session starts on a replica. */
    void started(UUID session, int pool, ReplicaRuntime replica) {
        Place place = places.remove(session);
        if (place == null) {
            place = new Place();
            if (places.size() >= max) {
                Iterator<UUID> oldest = places.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        place.pool = pool;
        place.replica = replica.index;
        place.starts = replica.starts;
        place.epoch = replica.epoch;
        place.settled = false;
        places.put(session, place);
    }

    /** Notes that a task of the session ended; only one that decoded leaves a prefix behind. */
    void ended(UUID session, int pool, int replica, boolean decoded) {
        Place place = places.get(session);
        if (place != null && place.pool == pool && place.replica == replica) {
            place.settled = decoded;
        }
    }

    /**
     * Whether a replica still holds the session's prefix, as far as starts tell: its last task ended there, the replica
     * has been READY ever since, and the tasks started since and those that run now cannot have used up every slot.
     * An engine that evicts sooner is not seen.
     */
    static boolean warm(@Nullable Place place, int pool, ReplicaRuntime replica) {
        return place != null
                && place.settled
                && place.pool == pool
                && place.replica == replica.index
                && place.epoch == replica.epoch
                && replica.starts - place.starts + replica.leased() < replica.slots;
    }
}
