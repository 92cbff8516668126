package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;

/** What happens to the pools of a simulation: engines come, go and change, and an operator drains and reloads. */
final class SimOperator {
    static final ApiError STOPPED = ApiError.of(ErrorCode.WORKER_RESET, "stopped by the operator");
    private static final double SECOND = SimWorld.SECOND;

    private final SimWorld world;

    SimOperator(SimWorld world) {
        this.world = world;
    }

    void begin() {
        for (NaivePool pool : world.pools) {
            for (int r = 0; r < pool.states.length; r++) {
                change(pool, r, ReplicaState.READY);
                int replica = r;
                world.later(900 * SECOND, () -> replicaFate(pool, replica));
            }
            world.later(world.exponential(1_200 * SECOND), () -> operate(pool));
        }
    }

    private int chance(int sides) {
        return world.random.nextInt(sides);
    }

    // ---- engines ----

    private void replicaFate(NaivePool pool, int replica) {
        if (world.draining) {
            change(pool, replica, ReplicaState.READY);
            return;
        }
        ReplicaState state = chance(2) == 0 ? world.pick(ReplicaState.values()) : ReplicaState.READY;
        change(pool, replica, state);
        double meanNs = (state == ReplicaState.READY ? 500 : 100) * SECOND;
        world.later(world.exponential(meanNs), () -> replicaFate(pool, replica));
    }

    private void change(NaivePool pool, int replica, ReplicaState state) {
        int configured = pool.spec.replicas().get(replica).slots();
        int slots = chance(4) == 0 ? 1 + chance(6) : configured;
        int ctx = chance(6) == 0 ? 4096 : 0;
        String version = state == ReplicaState.READY ? chance(4) == 0 ? "v2" : "v1" : world.pick("", "v1");
        pool.states[replica] = state;
        pool.slots[replica] = Math.min(slots, configured); // an engine that has more gets no more
        pool.ctx[replica] = ctx == 0 ? pool.spec.ctx() : ctx;
        pool.versions[replica] = version;
        pool.broken[replica] = chance(8) == 0 && !world.draining;
        pool.refreshStrictVersion();
        world.tell(core -> core.replicaChanged(world.nowNs, world.indexOf(pool), replica, state, version, slots, ctx));
        long vram = chance(4) == 0 ? -1 : (long) chance(8) << 30;
        world.tell(core -> core.replicaVram(world.nowNs, world.indexOf(pool), replica, vram));
    }

    // ---- the operator ----

    private void operate(NaivePool pool) {
        if (world.draining) {
            return;
        }
        world.later(world.exponential(400 * SECOND), () -> operate(pool));
        int what = chance(10);
        if (what < 4) {
            drain(pool);
        } else if (what < 8) {
            reload(pool);
        } else {
            abort(pool, world.random.nextBoolean() ? Integer.MAX_VALUE : pool.generation);
        }
    }

    private void drain(NaivePool pool) {
        pool.drain(true);
        world.tell(core -> core.drainPool(world.nowNs, world.indexOf(pool), true));
        pool.drainBegins = false;
        if (world.random.nextBoolean()) {
            world.later(world.exponential(30 * SECOND), () -> abort(pool, Integer.MAX_VALUE));
        }
        double lastsNs = chance(3) == 0 ? 0.001 * SECOND : 90 * SECOND; // the one while some still leave
        world.later(world.exponential(lastsNs), () -> {
            pool.drain(false);
            world.tell(core -> core.drainPool(world.nowNs, world.indexOf(pool), false));
        });
    }

    private void abort(NaivePool pool, int belowGeneration) {
        world.book.aborting(pool, belowGeneration);
        world.tell(core -> core.abortPool(world.nowNs, world.indexOf(pool), belowGeneration, STOPPED));
        world.book.assertAborted(pool, belowGeneration);
        world.server.breakSome(pool);
    }

    private void reload(NaivePool pool) {
        if (pool.incoming != null) {
            return;
        }
        boolean pause = world.random.nextBoolean();
        String model = world.pick("m", "n");
        pool.beginReload(model, pause);
        world.tell(core -> core.beginReload(world.nowNs, world.indexOf(pool), model, pause, 30_000));
        double tookNs = world.exponential((chance(4) == 0 ? 0.001 : 30) * SECOND);
        if (pause && world.random.nextBoolean()) {
            world.later(world.random.nextDouble() * tookNs, () -> abort(pool, Integer.MAX_VALUE));
        }
        if (chance(3) == 0) {
            int replica = chance(pool.states.length);
            world.later(world.random.nextDouble() * tookNs, () -> change(pool, replica, ReplicaState.DOWN));
            world.later(tookNs, () -> change(pool, replica, ReplicaState.READY));
        }
        world.later(tookNs, () -> endReload(pool, chance(4) != 0));
    }

    private void endReload(NaivePool pool, boolean committed) {
        pool.endReload(committed);
        if (committed) {
            int generation = pool.generation;
            world.later(world.exponential(10 * SECOND), () -> abort(pool, generation));
        }
        world.tell(core -> core.endReload(world.nowNs, world.indexOf(pool), committed));
        world.server.breakSome(pool);
        if (chance(4) == 0) {
            reload(pool); // while some still leave
        }
    }
}
