package io.llamaorch.orchestratord.scheduler.core;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The sessions that are known: those with open tasks, which the task table bounds, and a bounded number of others, in the
 * order of their last use. Owned by the scheduler's thread.
 *
 * <p>A session with an open task is never dropped. One without is dropped when its time is over, or when there are too
 * many and it was used longest ago. Two keys that use one id have two sessions.
 */
final class SessionTable {
    private final int idleMax;
    private final long ttlNs;
    private final Map<UUID, Session> byId = new HashMap<>();
    private @Nullable Session oldestIdle;
    private @Nullable Session newestIdle;
    private int size;
    private int idle;
    private long expired;
    private long evicted;

    /** @param idleMax most sessions without an open task, ≥ 1 */
    SessionTable(int idleMax, long ttlNs) {
        this.idleMax = idleMax;
        this.ttlNs = ttlNs;
    }

    int size() {
        return size;
    }

    /** Sessions dropped because their time was over, ever. */
    long expired() {
        return expired;
    }

    /** Sessions dropped because there were too many, ever. */
    long evicted() {
        return evicted;
    }

    @Nullable
    Session find(String owner, UUID id) {
        Session session = byId.get(id);
        while (session != null && !session.account.owner.equals(owner)) {
            session = session.sameId;
        }
        return session;
    }

    /** That of an owner, or, where it has none of that id, the newest of anybody's. */
    @Nullable
    Session findAny(String owner, UUID id) {
        Session own = find(owner, id);
        return own != null ? own : byId.get(id);
    }

    /** A session that is not there yet; a task must {@link #join} it, or it must be {@link #rest}ed. */
    Session add(UUID id, Account account) {
        Session session = new Session(id, account);
        session.sameId = byId.put(id, session);
        size++;
        return session;
    }

    /** A task is admitted to it. */
    void join(Session session, TaskEntry entry, long nowNs) {
        if (session.open++ == 0) {
            unlinkIdle(session);
        }
        session.turns++;
        session.usedAtNs = nowNs;
        entry.olderOfSession = session.newestOpen;
        if (session.newestOpen != null) {
            session.newestOpen.newerOfSession = entry;
        }
        session.newestOpen = entry;
    }

    /** A task of it is over. */
    void leave(Session session, TaskEntry entry, long nowNs) {
        TaskEntry older = entry.olderOfSession;
        TaskEntry newer = entry.newerOfSession;
        if (newer != null) {
            newer.olderOfSession = older;
        } else if (session.newestOpen == entry) {
            session.newestOpen = older;
        } else {
            throw new IllegalStateException("task " + entry.spec.id() + " is not open in its session");
        }
        if (older != null) {
            older.newerOfSession = newer;
        }
        entry.olderOfSession = null;
        entry.newerOfSession = null;
        session.usedAtNs = nowNs;
        if (--session.open == 0 && !session.gone) {
            rest(session);
        }
    }

    /** Nothing of it is open: from here on it may be dropped. */
    void rest(Session session) {
        session.idleBefore = newestIdle;
        if (newestIdle == null) {
            oldestIdle = session;
        } else {
            newestIdle.idleAfter = session;
        }
        newestIdle = session;
        if (++idle > idleMax && oldestIdle != null) {
            evicted++;
            remove(oldestIdle);
        }
    }

    /** Drops those whose time is over. */
    void expire(long nowNs) {
        while (oldestIdle != null && nowNs - oldestIdle.usedAtNs >= ttlNs) {
            expired++;
            remove(oldestIdle);
        }
    }

    /** Drops one, whatever is open in it: its tasks go on, and settle with it. */
    void remove(Session session) {
        session.gone = true;
        size--;
        if (session.open == 0) {
            unlinkIdle(session);
        }
        Session first = byId.get(session.id);
        if (first == session) {
            if (session.sameId == null) {
                byId.remove(session.id);
            } else {
                byId.put(session.id, session.sameId);
            }
            return;
        }
        for (Session other = first; other != null; other = other.sameId) {
            if (other.sameId == session) {
                other.sameId = session.sameId;
                return;
            }
        }
        throw new IllegalStateException("session " + session.id + " is not in the table");
    }

    private void unlinkIdle(Session session) {
        Session before = session.idleBefore;
        Session after = session.idleAfter;
        if (before == null && oldestIdle != session) {
            return; // it is new
        }
        if (before == null) {
            oldestIdle = after;
        } else {
            before.idleAfter = after;
        }
        if (after == null) {
            newestIdle = before;
        } else {
            after.idleBefore = before;
        }
        session.idleBefore = null;
        session.idleAfter = null;
        idle--;
    }

    /** All of them, in no order that means anything; for figures. */
    Iterable<Session> heads() {
        return byId.values();
    }
}
