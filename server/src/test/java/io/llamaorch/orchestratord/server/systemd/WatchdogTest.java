package io.llamaorch.orchestratord.server.systemd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullUnmarked
class WatchdogTest {
    /** A thread that runs what it was given when the test says so, unless it hangs. */
    private static final class Hand implements Executor {
        private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
        private boolean hangs;
        private boolean closed;

        @Override
        public void execute(Runnable task) {
            if (closed) {
                throw new RejectedExecutionException();
            }
            tasks.add(task);
        }

        boolean offer(Runnable task) {
            return tasks.add(task);
        }

        boolean turn() {
            Runnable task = hangs ? null : tasks.poll();
            if (task == null) {
                return false;
            }
            task.run();
            return true;
        }
    }

    private final List<Hand> loops = List.of(new Hand(), new Hand(), new Hand());
    private final Hand scheduler = new Hand();
    private final List<Hand> all = List.of(loops.get(0), loops.get(1), loops.get(2), scheduler);
    private boolean full;
    private int fed;
    private final Watchdog watchdog = new Watchdog(loops, step -> !full && scheduler.offer(step), () -> fed++);

    private void settle() {
        while (all.stream().anyMatch(Hand::turn)) {
            // until nobody has anything left to do
        }
    }

    private void round() {
        watchdog.round();
        settle();
    }

    @Test
    void shouldFeedOnceARoundWhenAllWork() {
        round();
        round();
        assertThat(fed).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void shouldNotFeedWhileOneHangs(int which) {
        round();
        all.get(which).hangs = true;
        round();
        round();
        assertThat(fed).isEqualTo(1);

        all.get(which).hangs = false;
        settle();
        assertThat(fed).as("one baton was out, not two").isEqualTo(2);
        round();
        assertThat(fed).isEqualTo(3);
    }

    @Test
    void shouldTryAgainNextRoundWhenTheSchedulerTakesNothing() {
        full = true;
        round();
        assertThat(fed).isZero();
        full = false;
        round();
        assertThat(fed).isEqualTo(1);
    }

    @Test
    void shouldEndWithTheLoops() {
        loops.get(1).closed = true;
        round();
        assertThat(fed).isZero();
    }
}
