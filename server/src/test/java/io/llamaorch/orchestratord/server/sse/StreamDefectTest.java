package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** What throws harms its own stream or reader, and nothing beside it. */
@NullUnmarked
class StreamDefectTest {
    private final StreamFixture fixture = new StreamFixture();

    private static void checkInternal(StreamFixture fixture, TaskStream stream, StreamFixture.Client reader) {
        assertThat(stream.ending().error().code()).isEqualTo(ErrorCode.INTERNAL);
        assertThat(reader.events()).containsOnlyOnce("event: error\ndata: {\"code\":\"INTERNAL\"");
        assertThat(reader.finished).isTrue();
        assertThat(fixture.told).containsOnlyOnce("ended FAILED");
    }

    @Test
    void shouldGoOnTickingForOthersWhenOneStreamThrows() {
        StreamFixture eager = new StreamFixture(new Retention(8 << 20, 10, 3_600_000), 0, 0);
        List<TaskStream> streams = new ArrayList<>();
        List<StreamFixture.Client> clients = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            streams.add(eager.running());
            clients.add(eager.new Client());
            streams.get(i).attach(clients.get(i), 0);
            eager.tokens("a");
        }
        eager.throwOn = "progress";
        eager.home.start();
        for (int tick = 0; tick < 4; tick++) {
            eager.advance(50);
        }
        assertThat(eager.told).containsSequence("progress", "defect progress", "ended FAILED", "progress", "progress");
        checkInternal(eager, streams.get(0), clients.get(0));
        assertThat(streams.get(1).ending()).isNull();
    }

    @Test
    void shouldFailTheStreamWhenWhoIsToldOfATokenOrTheEngineThrows() {
        TaskStream told = fixture.running();
        StreamFixture.Client reader = fixture.new Client();
        told.attach(reader, 0);
        fixture.throwOn = "firstToken";
        fixture.tokens("a", "b");
        assertThat(fixture.aborted).isTrue();
        checkInternal(fixture, told, reader);

        StreamFixture elsewhere = new StreamFixture();
        TaskStream unstarted = fixture.stream(Priority.INTERACTIVE, false);
        StreamFixture.Client waiting = fixture.new Client();
        unstarted.attach(waiting, 0);
        fixture.told.clear();
        fixture.throwOn = "start";
        fixture.dispatch(unstarted, elsewhere.home);
        elsewhere.clock.runPendingTasks();
        fixture.clock.runPendingTasks();
        checkInternal(fixture, unstarted, waiting);
    }

    @Test
    void shouldKeepTheTaskWhenItsEndIsToldInVain() {
        TaskStream stream = fixture.running();
        StreamFixture.Client reader = fixture.new Client();
        stream.attach(reader, 0);
        fixture.tokens("a");
        fixture.throwOn = "ended COMPLETED";
        fixture.end();
        assertThat(fixture.told).endsWith("ended COMPLETED", "defect ended COMPLETED");
        assertThat(reader.events()).contains("event: end");
        assertThat(fixture.home.retainedTasks()).isEqualTo(1);
    }

    @Test
    void shouldCutTheReaderThatThrowsAndServeTheOthers() {
        TaskStream stream = fixture.running();
        List<StreamFixture.Client> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(fixture.new Client());
            stream.attach(clients.get(i), 0);
        }
        clients.get(1).onWrite = () -> {
            throw new IllegalStateException("write");
        };
        fixture.tokens("a");
        fixture.end();
        assertThat(clients.get(1).cut).isTrue();
        assertThat(fixture.told).containsSubsequence("defect write", "cut defect", "ended COMPLETED");
        assertThat(clients.get(0).events()).contains("\"t\":\"a\"", "event: end");
        assertThat(clients.get(2).events()).isEqualTo(clients.get(0).events());
    }

    @Test
    void shouldReachEveryReaderWhenOneLeavesWhileTheyAreWritten() {
        TaskStream stream = fixture.stream(Priority.BATCH, false);
        List<StreamFixture.Client> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(fixture.new Client());
            stream.attach(clients.get(i), 0);
        }
        clients.get(2).onWrite = () -> {
            stream.connectionClosed(clients.get(1));
            stream.connectionClosed(clients.get(2));
        };
        stream.onTick(System.nanoTime() + TimeUnit.SECONDS.toNanos(20));
        stream.onAnswered(new Admission("default", 1, 200, 300, 0, 0.9, 3, null));
        assertThat(clients.get(0).text()).containsOnlyOnce(": queued position=1");
        assertThat(clients.get(3).text()).contains(": queued position=1");
        assertThat(fixture.home.openReaders()).isEqualTo(2);
    }

    @Test
    void shouldGoOnWhenACutReaderTakesTheOthersWithIt() {
        TaskStream stream = fixture.running();
        List<StreamFixture.Client> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(fixture.new Client());
            stream.attach(clients.get(i), 0);
        }
        fixture.tokens("a");
        clients.get(2).accepts = false;
        fixture.tokens("b");
        boolean[] settled = new boolean[1];
        stream.cancel("client", () -> settled[0] = true);
        stream.onTick(System.nanoTime() + TimeUnit.SECONDS.toNanos(61)); // cuts it; that ends the stream for all
        assertThat(settled[0]).isTrue();
        assertThat(clients.get(0).events()).contains("\"canceled\":true");
        assertThat(clients.get(2).cut).isTrue();
        assertThat(fixture.told).contains("cut stalled", "ended CANCELED").noneMatch(line -> line.startsWith("defect"));
    }

    @Test
    void shouldSettleEveryCancelWhenOneAnswerThrows() {
        TaskStream stream = fixture.running();
        StreamFixture.Client slow = fixture.new Client();
        stream.attach(slow, 0);
        slow.accepts = false;
        fixture.tokens("a");
        stream.cancel("client", () -> {
            throw new IllegalStateException("answer");
        });
        boolean[] settled = new boolean[1];
        stream.cancel("client", () -> settled[0] = true);
        slow.drainNow();
        assertThat(fixture.told).contains("defect answer");
        assertThat(settled[0]).isTrue();
    }
}
