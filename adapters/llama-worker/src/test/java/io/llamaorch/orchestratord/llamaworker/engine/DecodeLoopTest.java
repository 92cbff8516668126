package io.llamaorch.orchestratord.llamaworker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.llamaworker.binding.LlamaModel;
import io.llamaorch.orchestratord.llamaworker.binding.NativeLibrary;
import io.llamaorch.orchestratord.llamaworker.binding.Sampling;
import io.llamaorch.orchestratord.llamaworker.testing.TinyGguf;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
@Timeout(60)
class DecodeLoopTest {
    /** Far more than is decoded while a test runs: what ends there was canceled. */
    private static final int CTX = 65_536;

    private static final int UNLIMITED = -1;

    @TempDir
    static Path folder;

    private static LlamaModel model;

    private final CompletableFuture<Throwable> broken = new CompletableFuture<>();
    private DecodeLoop loop;

    @BeforeAll
    static void load() throws Exception {
        model = LlamaModel.load(NativeLibrary.open(), TinyGguf.writeInto(folder), line -> {});
    }

    private void start(int ctx, int slots, int waitingMax) throws Exception {
        loop = new DecodeLoop(model, ctx, slots, waitingMax, 1);
        loop.start((thread, e) -> broken.complete(e));
    }

    @AfterEach
    void close() {
        loop.close();
        assertThat(broken).isNotDone();
    }

    private static Completion completion(String prompt, int predictMax) {
        return completion(prompt, predictMax, true);
    }

    private static Completion completion(String prompt, int predictMax, boolean reusePrefix) {
        int[] tokens = model.tokenize(prompt, true, true);
        return new Completion(tokens, predictMax, Sampling.defaults(5), List.of(), reusePrefix);
    }

    private void awaitInside(int processing, int deferred) {
        while (loop.processing() != processing || loop.deferred() != deferred) {
            assertThat(Thread.interrupted()).as("timed out").isFalse();
        }
    }

    @Test
    void shouldDecodeSlotsTogetherAndHaveTheRestWaitInOrder() throws Exception {
        start(CTX, 2, 2);
        RecordingListener one = new RecordingListener();
        RecordingListener two = new RecordingListener();
        RecordingListener three = new RecordingListener();
        CompletionTask first = loop.offer(completion("bade", UNLIMITED), one);
        CompletionTask second = loop.offer(completion("kilo", UNLIMITED), two);
        CompletionTask third = loop.offer(completion("lake", 5), three);
        CompletionTask fourth = loop.offer(completion("mako", 5), new RecordingListener());
        assertThat(third).isNotNull();
        assertThat(fourth).isNotNull();
        assertThat(loop.offer(completion("nope", 5), new RecordingListener())).isNull();
        one.firstToken.await();
        two.firstToken.await();
        awaitInside(2, 2);
        fourth.cancel();
        awaitInside(2, 1);
        first.cancel();
        assertThat(three.end.join().slot()).isZero();
        assertThat(one.end).isNotDone();
        assertThat(two.end).isNotDone();
        second.cancel();
        awaitInside(0, 0);
        assertThat(loop.figures().predictedTokens()).isLessThan(CTX);
        assertThat(loop.figures().slotsPerBatch()).isGreaterThan(1);
    }

    @Test
    void shouldDrawTheSameTextForTheSameSeedWhenItIsAlone() throws Exception {
        start(512, 1, 4);
        RecordingListener one = new RecordingListener();
        RecordingListener two = new RecordingListener();
        loop.offer(completion("bade", 200, false), one);
        loop.offer(completion("bade", 200, false), two);
        assertThat(one.end.join().predicted()).isEqualTo(200);
        assertThat(two.end.join().predicted()).isEqualTo(200);
        assertThat(one.text()).isNotEmpty().isEqualTo(two.text());
    }

    @Test
    void shouldDecodeAHeldPrefixOnlyOnce() throws Exception {
        start(512, 2, 0);
        Completion completion = completion("bade kilo lake", 3);
        int prompt = completion.prompt().length;
        RecordingListener one = new RecordingListener();
        loop.offer(completion, one);
        assertThat(one.end.join().cached()).isZero();
        RecordingListener two = new RecordingListener();
        loop.offer(completion, two);
        assertThat(two.end.join().cached()).isEqualTo(prompt - 1);
        assertThat(two.end.join().slot()).isEqualTo(one.end.join().slot());
        RecordingListener fresh = new RecordingListener();
        loop.offer(completion("bade kilo lake", 3, false), fresh);
        assertThat(fresh.end.join().cached()).isZero();
    }

    @Test
    void shouldWaitForAReaderWithoutRoomAndGoOnWithTheOthers() throws Exception {
        start(1024, 2, 0);
        RecordingListener slow = new RecordingListener(3);
        loop.offer(completion("bade", 50), slow);
        slow.firstToken.await();
        RecordingListener other = new RecordingListener();
        loop.offer(completion("kilo", 200), other);
        assertThat(other.end.join().predicted()).isEqualTo(200);
        assertThat(slow.tokens).hasValue(3);
        slow.makeRoom();
        loop.wake();
        assertThat(slow.end.join().predicted()).isEqualTo(50);
    }

    @Test
    void shouldEndWhenTheContextIsFull() throws Exception {
        start(256, 3, 0);
        RecordingListener[] all = {new RecordingListener(), new RecordingListener(), new RecordingListener()};
        for (RecordingListener each : all) {
            loop.offer(completion("bade".repeat(40), UNLIMITED), each);
        }
        for (RecordingListener each : all) {
            CompletionEnd end = each.end.join();
            assertThat(end.truncated()).isTrue();
            assertThat(end.stopType()).isEqualTo("limit");
            assertThat(end.held()).isEqualTo(256);
            assertThat(end.evaluated() + end.predicted()).isEqualTo(257);
        }
    }

    @Test
    void shouldGoOnWhenOthersAreCanceledAgainAndAgain() throws Exception {
        start(4096, 2, 0);
        RecordingListener steady = new RecordingListener();
        loop.offer(completion("bade", 1_000), steady);
        int canceled = 0;
        while (!steady.end.isDone()) {
            RecordingListener other = new RecordingListener();
            CompletionTask task = loop.offer(completion("kilo".repeat(100), UNLIMITED, false), other);
            if (task != null) {
                if (canceled++ % 2 == 0) {
                    other.firstToken.await();
                }
                task.cancel();
            }
        }
        assertThat(steady.end.join().predicted()).isEqualTo(1_000);
        assertThat(steady.end.join().held()).isEqualTo(1_000 + 2);
        awaitInside(0, 0);
        assertThat(canceled).isPositive();
    }

    @Test
    void shouldDrawNothingWhenNothingIsAskedFor() throws Exception {
        start(512, 1, 0);
        RecordingListener none = new RecordingListener();
        loop.offer(completion("bade", 0), none);
        assertThat(none.end.join().predicted()).isZero();
        assertThat(none.text()).isEmpty();
    }
}
