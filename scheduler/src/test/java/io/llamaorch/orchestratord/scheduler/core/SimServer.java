package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The server of a simulation. It owns the tasks, and hears of effects late and in order, as an event loop hears them
 * from its mailbox; what it does meanwhile crosses them: it withdraws and forgets tasks that have been dispatched, and
 * gives back tasks that have been aborted.
 */
final class SimServer {
    private static final double SECOND = SimWorld.SECOND;

    private final SimWorld world;
    private long heardAtNs = Long.MIN_VALUE;

    SimServer(SimWorld world) {
        this.world = world;
    }

    private int chance(int sides) {
        return world.random.nextInt(sides);
    }

    /** It hears of an effect: mostly soon, at times after a stall, and never before what was said earlier. */
    private void hear(Runnable action) {
        double spanNs = world.exponential(chance(32) == 0 ? 2 * SECOND : 0.001 * SECOND);
        heardAtNs = Math.max(heardAtNs, world.nowNs + 1 + (long) spanNs);
        world.at(heardAtNs, action);
    }

    // ---- the scheduler's word ----

    void dispatched(SimTask task, Dispatch dispatch) {
        hear(() -> decode(task, dispatch));
        if (chance(16) == 0) {
            world.later(world.exponential(0.001 * SECOND), () -> cancel(task)); // the two cross
        }
    }

    void evicted(SimTask task) {
        hear(() -> letGo(task));
    }

    void retryRefused(SimTask task) {
        hear(() -> {
            if (!task.closed) {
                letGo(task);
            }
        });
    }

    void aborted(SimTask task) {
        hear(() -> {
            int round = task.round;
            if (task.placed) {
                world.later(chance(2) * 0.1 * SECOND, () -> finish(task, round, Outcome.CANCELED, 1));
            } else if (!task.closed) {
                withdraw(task); // it had given the task back for a retry
            }
        });
    }

    // ---- decoding ----

    private void decode(SimTask task, Dispatch dispatch) {
        assertThat(task.placed).as("heard of one slot at a time").isFalse();
        assertThat(task.life).isEqualTo(SimTask.Life.RUNNING);
        task.placed = true;
        task.dispatch = dispatch;
        task.decoded = false;
        int round = ++task.round;
        if (task.closed) {
            finish(task, round, Outcome.NEVER_STARTED, 0);
            return;
        }
        double firstNs = (chance(16) == 0 ? 20 : 1) * (0.3 * SECOND + world.exponential(0.5 * SECOND));
        boolean broken = world.poolOf(dispatch.poolId()).broken[dispatch.lease().replicaIndex()] && chance(4) != 0;
        if (broken || chance(dispatch.attempt() > 0 ? 3 : 12) == 0) {
            world.later(world.random.nextDouble() * firstNs, () -> fail(task, round, dispatch));
            return;
        }
        boolean atLimit = chance(3) == 0;
        int tokens = atLimit ? task.spec.maxTokens() : 1 + chance(task.spec.maxTokens());
        double tokenNs = SECOND / 2;
        world.later(firstNs, () -> firstToken(task, round, dispatch));
        world.later(
                firstNs + tokens * tokenNs / 2,
                () -> running(
                        task,
                        round,
                        () -> world.tell(core -> core.progress(world.nowNs, task.spec.id(), 1 + tokens / 2))));
        Outcome outcome = chance(40) == 0 ? Outcome.FAILED : Outcome.COMPLETED;
        world.later(firstNs + tokens * tokenNs, () -> finish(task, round, outcome, tokens));
    }

    private void running(SimTask task, int round, Runnable action) {
        if (task.placed && task.round == round) {
            action.run();
        }
    }

    private void firstToken(SimTask task, int round, Dispatch dispatch) {
        int replica = dispatch.lease().replicaIndex();
        if (!world.poolOf(dispatch.poolId()).ready(replica) && chance(2) == 0) {
            fail(task, round, dispatch);
            return;
        }
        running(task, round, () -> {
            task.decoded = true;
            world.tell(core -> core.firstToken(world.nowNs, task.spec.id(), 10));
        });
    }

    /** An engine goes: tasks in that pool that have no token yet fail, before or after the server has heard why. */
    void breakSome(NaivePool pool) {
        for (SimTask task : pool.running(-1, Integer.MAX_VALUE)) {
            Dispatch dispatch = task.dispatch;
            if (task.placed && !task.decoded && dispatch != null && chance(3) != 0) {
                int round = task.round;
                world.later(world.exponential(0.001 * SECOND), () -> fail(task, round, dispatch));
            }
        }
    }

    /** A try broke before its first token. */
    private void fail(SimTask task, int round, Dispatch dispatch) {
        running(task, round, () -> {
            if (task.decoded) {
                finish(task, round, Outcome.FAILED, 1);
                return;
            }
            boolean again = dispatch.retriable() || chance(8) == 0;
            if (task.closed || !again) {
                finish(task, round, Outcome.NEVER_STARTED, 0);
                return;
            }
            task.placed = false;
            world.book.givenBack(task);
            if (chance(4) == 0) {
                world.later(world.exponential(0.002 * SECOND), () -> cancel(task)); // crosses what comes of it
            }
            world.tell(core -> core.retry(world.nowNs, task.spec.id()));
            world.book.retried(task);
        });
    }

    // ---- ends ----

    /** A client cancels: the server ends the task by what it has heard of it so far. */
    void cancel(SimTask task) {
        if (task.closed) {
            world.tell(core -> core.withdraw(world.nowNs, task.spec.id())); // in vain
        } else if (task.placed) {
            world.tell(core -> core.withdraw(world.nowNs, task.spec.id())); // in vain
            task.closed = true;
            int round = task.round;
            world.later(0.05 * SECOND, () -> finish(task, round, Outcome.CANCELED, 1));
        } else {
            withdraw(task);
        }
    }

    private void withdraw(SimTask task) {
        world.book.withdrawn(task);
        world.tell(core -> core.withdraw(world.nowNs, task.spec.id()));
        letGo(task);
    }

    /** A slot is given back, once. */
    private void finish(SimTask task, int round, Outcome outcome, int tokens) {
        running(task, round, () -> {
            task.placed = false;
            int tokensIn = chance(4) == 0 ? -1 : outcome == Outcome.NEVER_STARTED ? 0 : chance(600);
            long decodeMs = tokens * 500L;
            world.book.finished(task, outcome, tokensIn, tokens, decodeMs);
            world.tell(core -> core.finished(world.nowNs, task.spec.id(), outcome, tokensIn, tokens, decodeMs));
            if (task.forgotten) {
                world.known.remove(task.spec.id());
            }
            letGo(task);
        });
    }

    /** The task is over for the server, which forgets it at once, or when it has kept it for a while. */
    private void letGo(SimTask task) {
        task.closed = true;
        if (task.released) {
            return;
        }
        task.released = true;
        if (chance(4) == 0) {
            forget(task);
        } else {
            world.later(world.exponential((chance(4) == 0 ? 0.5 : 300) * SECOND), () -> forget(task));
        }
    }

    private void forget(SimTask task) {
        task.forgotten = true;
        if (task.life == SimTask.Life.OVER) {
            world.known.remove(task.spec.id()); // else it is remembered until its slot is back
        }
        world.tell(core -> core.forget(world.nowNs, task.spec.id()));
    }
}
