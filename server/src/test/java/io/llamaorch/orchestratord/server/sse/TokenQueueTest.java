package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class TokenQueueTest {
    private static final EngineUsage USAGE = new EngineUsage(FinishReason.STOP, 1, 2, 3, 4);

    private static final int CAPACITY = 4;

    private final SlabPool pool = new SlabPool(SlabPool.newShared());
    private final TokenQueue queue = new TokenQueue(CAPACITY, pool);

    private static ByteBuf text(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    private boolean offer(String text) {
        ByteBuf bytes = text(text);
        return queue.offer(bytes, 0, bytes.readableBytes());
    }

    private static List<String> textsOf(TokenSlab slab) {
        List<String> texts = new ArrayList<>();
        for (int length = slab.nextLength(); length >= 0; length = slab.nextLength()) {
            texts.add(new String(slab.bytes(), slab.nextText(length), length, StandardCharsets.UTF_8));
        }
        return texts;
    }

    @Test
    void shouldShowNothingBeforePublish() {
        assertThat(offer("a")).isTrue();
        assertThat(queue.poll()).isNull();
        queue.publish();
        assertThat(textsOf(queue.poll())).containsExactly("a");
    }

    @Test
    void shouldKeepWhatWasTakenAndTheEndBehindItWhenFull() {
        String big = "x".repeat(TokenSlab.BYTES - 8);
        for (int i = 0; i < CAPACITY; i++) {
            offer(big);
            queue.publish();
        }
        assertThat(queue.wasFull()).isFalse();
        assertThat(offer("last")).isFalse();
        queue.end(new EngineResult(USAGE, null));
        assertThat(queue.wasFull()).isTrue();
        assertThat(queue.outcome()).isNull();
        assertThat(textsOf(queue.poll())).containsExactly(big);
        queue.publish();
        assertThat(queue.wasFull()).isFalse();
        assertThat(queue.outcome()).isEqualTo(new EngineResult(USAGE, null));
        for (int i = 1; i < CAPACITY; i++) {
            assertThat(textsOf(queue.poll())).containsExactly(big);
        }
        assertThat(textsOf(queue.poll())).containsExactly("last");
        assertThat(queue.poll()).isNull();
    }

    @Test
    void shouldTakeAPieceLongerThanASlab() {
        String huge = "é".repeat(10_000);
        offer("a");
        offer(huge);
        queue.publish();
        List<String> all = new ArrayList<>();
        for (TokenSlab slab = queue.poll(); slab != null; slab = queue.poll()) {
            all.addAll(textsOf(slab));
            pool.give(slab);
        }
        assertThat(all).containsExactly("a", huge);
    }

    @Test
    void shouldLoseNothingAndKeepOrderWhenProducerAndConsumerRace() throws InterruptedException {
        int count = 200_000;
        AtomicBoolean resume = new AtomicBoolean(true);
        Thread producer = new Thread(() -> {
            ByteBuf bytes = Unpooled.buffer(16);
            for (int i = 0; i < count; i++) {
                bytes.clear().writeCharSequence(Integer.toString(i), StandardCharsets.US_ASCII);
                boolean room = queue.offer(bytes, 0, bytes.readableBytes());
                if (!room || i % 7 == 0) {
                    queue.publish();
                    while (queue.wasFull()) {
                        Thread.onSpinWait();
                        if (resume.getAndSet(false)) {
                            queue.publish();
                        }
                    }
                }
            }
            queue.end(new EngineResult(USAGE, null));
            while (queue.wasFull()) {
                Thread.onSpinWait();
                queue.publish();
            }
        });
        producer.start();
        SlabPool consumerPool = new SlabPool(SlabPool.newShared());
        int next = 0;
        while (true) {
            Object outcome = queue.outcome();
            for (TokenSlab slab = queue.poll(); slab != null; slab = queue.poll()) {
                for (String text : textsOf(slab)) {
                    assertThat(Integer.parseInt(text)).isEqualTo(next++);
                }
                consumerPool.give(slab);
            }
            if (queue.wasFull()) {
                resume.set(true);
            }
            if (outcome != null) {
                break;
            }
        }
        producer.join();
        assertThat(next).isEqualTo(count);
    }
}
