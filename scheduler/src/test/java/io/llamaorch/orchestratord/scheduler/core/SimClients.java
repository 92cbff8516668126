package io.llamaorch.orchestratord.scheduler.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.PlacementMode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Placement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/** Clients of a simulation: they ask, repeat themselves, cancel and poll. */
final class SimClients {
    private final SimWorld world;
    private final List<SimTask> recent = new ArrayList<>();
    private int nextNumber;

    SimClients(SimWorld world) {
        this.world = world;
    }

    void begin() {
        world.later(1, this::arrive);
    }

    private int chance(int sides) {
        return world.random.nextInt(sides);
    }

    private void arrive() {
        if (world.draining) {
            return;
        }
        world.later(world.exponential(world.meanGapNs), this::arrive);
        int what = chance(100);
        SimTask other = recent.isEmpty() ? null : recent.get(chance(recent.size()));
        if (what < 8 && other != null) {
            repeat(other, what < 4);
        } else if (what < 20 && other != null) {
            world.server.cancel(other);
        } else if (what < 40 && other != null) {
            query(other);
        } else if (what < 44) {
            session(what == 43);
        } else {
            offer();
        }
    }

    private void offer() {
        UUID id = new UUID(nextNumber, world.random.nextLong());
        SimTask task = new SimTask(nextNumber, newSpec(id, nextNumber), world.nowNs);
        nextNumber++;
        world.tell(core -> core.admit(world.nowNs, task.spec, task));
        assertThat(task.life).isNotEqualTo(SimTask.Life.OFFERED);
        if (task.life != SimTask.Life.REFUSED) {
            recent.add(task);
            if (recent.size() > 64) {
                recent.remove(0);
            }
        }
    }

    private TaskSpec newSpec(UUID id, long digest) {
        int maxTokens = 16 << chance(6);
        int model = chance(100);
        double deadlineNs = (chance(5) == 0 ? 60 : 1_800) * SimWorld.SECOND * world.random.nextDouble();
        return new TaskSpec(
                id,
                world.random.nextInt(4) == 0 ? "k1" : "k" + chance(3),
                new TaskSpec.Digest(digest, 0),
                new UUID(0, chance(100)),
                EngineKind.MOCK,
                model < 65 ? "m" : model < 98 ? "n" : "unknown",
                chance(10) == 0 ? world.pick(4096, 8192) : 0,
                chance(3) == 0 ? Priority.BATCH : Priority.INTERACTIVE,
                chance(2_000),
                maxTokens,
                0,
                (long) deadlineNs + 1,
                chance(6) == 0 ? Determinism.STRICT : Determinism.BEST_EFFORT,
                chance(20) == 0 ? world.pick("s1", "s2") : null,
                newPlacement());
    }

    private Placement newPlacement() {
        String mask = chance(5) == 0 ? world.pick("0", "1", "0,1") : null;
        if (chance(4) != 0) {
            return new Placement(PlacementMode.AUTO, null, List.of(), List.of(), mask, true);
        }
        return new Placement(
                world.pick(PlacementMode.values()),
                "p" + chance(4),
                List.of("p" + chance(4)),
                chance(4) == 0 ? List.of("p0") : List.of(),
                mask,
                world.random.nextBoolean());
    }

    private void repeat(SimTask first, boolean same) {
        TaskSpec spec = same ? first.spec : newSpec(first.spec.id(), -1 - first.number);
        SimTask again = new SimTask(first.number, spec, world.nowNs);
        boolean isKnown = world.known.get(first.spec.id()) == first;
        if (!isKnown) {
            return;
        }
        world.tell(core -> core.admit(world.nowNs, spec, again));
        assertThat(again.answered).as("replayed").isEqualTo(same);
        assertThat(again.life).isEqualTo(same ? SimTask.Life.OFFERED : SimTask.Life.REFUSED);
    }

    private void session(boolean end) {
        String owner = "k" + chance(3);
        UUID id = new UUID(0, chance(100));
        world.tell(core -> world.ledger.compare(owner, id, core.session(world.nowNs, owner, false, id), world.nowNs));
        if (end) {
            Collection<SimTask> open = world.ledger.ended(owner, id, world.nowNs);
            world.tell(core -> {
                List<SimTask> told = core.endSession(world.nowNs, owner, false, id);
                assertThat(told == null ? List.<SimTask>of() : told).containsExactlyInAnyOrderElementsOf(open);
            });
            open.forEach(world.server::cancel);
        }
    }

    private void query(SimTask task) {
        task.answered = false;
        world.tell(core -> core.query(world.nowNs, task.spec.id()));
        assertThat(task.answered).isEqualTo(world.known.get(task.spec.id()) == task);
    }
}
