package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BlockPoolTest {
    private static final int THREADS = 4;
    private static final int TURNS = 200_000;

    @Test
    void shouldGiveEachBlockToOneOwnerAtATimeAndStayInBudgetWhenManyTakeAndGive() throws InterruptedException {
        BlockPool pool = new BlockPool(1 << 20);
        int most = 1024 + 128;
        AtomicInteger faults = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            int owner = t + 1;
            threads.add(new Thread(() -> churn(pool, owner, most, faults, refused)));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(faults).hasValue(0);
        assertThat(refused.get()).as("the budget was met").isPositive();
        assertThat(pool.usedBytes()).isZero();
        for (int i = 0; i < most; i++) {
            assertThat(pool.take()).isNotEqualTo(BlockPool.NONE);
        }
        assertThat(pool.take()).isEqualTo(BlockPool.NONE);
        assertThat(pool.takeBeyondBudget()).isNotEqualTo(BlockPool.NONE);
    }

    /** Marks what it takes, and finds its marks when it gives back. */
    private static void churn(BlockPool pool, int owner, int most, AtomicInteger faults, AtomicInteger refused) {
        SplittableRandom random = new SplittableRandom(owner);
        ArrayDeque<Integer> held = new ArrayDeque<>();
        for (int turn = 0; turn < TURNS; turn++) {
            if (held.isEmpty() || random.nextInt(100) < 51) {
                int block = pool.take();
                if (block == BlockPool.NONE) {
                    refused.incrementAndGet();
                    while (held.size() > 10) {
                        giveBack(pool, held.removeLast(), owner, faults);
                    }
                    continue;
                }
                pool.slabOf(block).putInt(BlockPool.offsetOf(block), owner);
                held.addLast(block);
            } else {
                giveBack(pool, random.nextBoolean() ? held.removeFirst() : held.removeLast(), owner, faults);
            }
            if (pool.usedBytes() > (long) most * BlockPool.BLOCK_BYTES) {
                faults.incrementAndGet();
            }
        }
        while (!held.isEmpty()) {
            giveBack(pool, held.removeLast(), owner, faults);
        }
    }

    private static void giveBack(BlockPool pool, int block, int owner, AtomicInteger faults) {
        if (pool.slabOf(block).getInt(BlockPool.offsetOf(block)) != owner) {
            faults.incrementAndGet();
        }
        pool.give(block);
    }
}
