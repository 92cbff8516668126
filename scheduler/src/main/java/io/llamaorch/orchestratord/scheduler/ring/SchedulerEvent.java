package io.llamaorch.orchestratord.scheduler.ring;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.scheduler.core.Outcome;
import io.llamaorch.orchestratord.scheduler.core.ReplicaState;
import io.llamaorch.orchestratord.scheduler.core.Scheduler;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import java.util.UUID;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One slot of the ring: an input of the core, flattened. Written by the producer that claimed it, read and cleared by
 * the scheduler's thread.
 */
final class SchedulerEvent<T> {
    static final byte NONE = 0;
    static final byte ADMIT = 1;
    static final byte WITHDRAW = 2;
    static final byte FIRST_TOKEN = 3;
    static final byte PROGRESS = 4;
    static final byte FINISHED = 5;
    static final byte QUERY = 6;
    static final byte FORGET = 7;
    static final byte REPLICA_CHANGED = 8;
    static final byte BEGIN_DRAIN = 9;
    static final byte EVICT_ALL = 10;
    static final byte DRAIN_POOL = 11;
    static final byte RETRY = 12;
    static final byte ABORT_POOL = 13;
    static final byte BEGIN_RELOAD = 14;
    static final byte END_RELOAD = 15;
    static final byte REPLICA_VRAM = 16;
    static final byte ASK = 17;

    /** Its place in the ring while a producer has it. */
    long sequence;

    byte kind;

    @Nullable
    TaskSpec spec;

    @Nullable
    T handle;

    @Nullable
    UUID id;

    @Nullable
    Outcome outcome;

    @Nullable
    ReplicaState state;

    /** Of an engine, or a model's name. */
    @Nullable
    String text;

    @Nullable
    ApiError error;

    /** What asks the core for something and tells its answer. */
    @Nullable
    ObjLongConsumer<Scheduler<T>> ask;

    int a;
    int b;
    int c;
    int d;
    long e;

    void applyTo(Scheduler<T> core, long nowNs) {
        switch (kind) {
            case ADMIT -> core.admit(nowNs, set(spec), set(handle));
            case WITHDRAW -> core.withdraw(nowNs, set(id));
            case FIRST_TOKEN -> core.firstToken(nowNs, set(id), a);
            case PROGRESS -> core.progress(nowNs, set(id), a);
            case FINISHED -> core.finished(nowNs, set(id), set(outcome), a, b, e);
            case QUERY -> core.query(nowNs, set(id));
            case FORGET -> core.forget(nowNs, set(id));
            case REPLICA_CHANGED -> core.replicaChanged(nowNs, a, b, set(state), set(text), c, d);
            case BEGIN_DRAIN -> core.beginDrain(nowNs);
            case EVICT_ALL -> core.evictAll(nowNs, set(error));
            case DRAIN_POOL -> core.drainPool(nowNs, a, b != 0);
            case RETRY -> core.retry(nowNs, set(id));
            case ABORT_POOL -> core.abortPool(nowNs, a, b, set(error));
            case BEGIN_RELOAD -> core.beginReload(nowNs, a, set(text), b != 0, e);
            case END_RELOAD -> core.endReload(nowNs, a, b != 0);
            case REPLICA_VRAM -> core.replicaVram(nowNs, a, b, e);
            case ASK -> set(ask).accept(core, nowNs);
            default -> throw new IllegalStateException("ring event of unknown kind " + kind);
        }
    }

    /** Drops every reference, so that the ring keeps no task alive. */
    void clear() {
        kind = NONE;
        spec = null;
        handle = null;
        id = null;
        outcome = null;
        state = null;
        text = null;
        error = null;
        ask = null;
    }

    private static <V> V set(@Nullable V value) {
        if (value == null) {
            throw new IllegalStateException("ring event lacks a member");
        }
        return value;
    }
}
