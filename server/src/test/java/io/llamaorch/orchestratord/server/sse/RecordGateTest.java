package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** DUR-10 and DUR-11: nothing is shown that is not on record. */
@NullUnmarked
class RecordGateTest {
    private final StreamFixture fixture = new StreamFixture();
    private final StreamFixture.Client client = fixture.new Client();
    private final List<String> answers = new ArrayList<>();

    @BeforeEach
    void putOnRecord() {
        fixture.onRecord = true;
    }

    @Test
    void shouldAskOnceBeforeTheFirstEventAndHoldEventsUntilItIsOnRecord() {
        TaskStream stream = fixture.stream(Priority.INTERACTIVE, true);
        stream.attach(client, 0);
        assertThat(client.text()).contains(": queued position");
        assertThat(fixture.told).doesNotContain("expose");
        fixture.dispatch(stream);
        assertThat(fixture.told).as("before the engine says anything").containsExactly("expose", "start");
        fixture.sink.accepted();
        fixture.tokens("a", "b");
        stream.attach(fixture.new Client(), 0);
        assertThat(client.events()).isEmpty();
        stream.onExposed();
        assertThat(client.events()).contains("event: started", "\"t\":\"a\"", "\"t\":\"b\"");
        fixture.tokens("c");
        assertThat(client.events()).contains("\"t\":\"c\"");
        assertThat(fixture.told).containsOnlyOnce("expose");
    }

    @Test
    void shouldAskWhenTheFirstReaderComesToATaskThatRuns() {
        TaskStream stream = fixture.running();
        fixture.tokens("a");
        assertThat(fixture.told).doesNotContain("expose");
        stream.attach(client, 0);
        assertThat(client.events()).isEmpty();
        stream.onExposed();
        assertThat(client.events()).contains("\"t\":\"a\"");
    }

    @Test
    void shouldHoldTheLastEventUntilTheEndIsOnRecord() {
        TaskStream stream = fixture.running();
        stream.attach(client, 0);
        stream.onExposed();
        fixture.tokens("a");
        stream.whenRecorded(() -> answers.add("open"));
        fixture.end();
        stream.whenRecorded(() -> answers.add("over"));
        assertThat(client.events()).contains("\"t\":\"a\"").doesNotContain("event: end");
        assertThat(client.finished).isFalse();
        assertThat(answers).containsExactly("open");
        stream.onRecorded();
        assertThat(client.events()).contains("event: end");
        assertThat(client.finished).isTrue();
        stream.whenRecorded(() -> answers.add("later"));
        assertThat(answers).containsExactly("open", "over", "later");
    }

    @Test
    void shouldShowAllWhereTheEndIsOnRecordAlthoughNothingWasShownBefore() {
        TaskStream stream = fixture.running();
        fixture.tokens("a");
        fixture.end();
        stream.attach(client, 0);
        assertThat(client.events()).isEmpty();
        stream.onRecorded();
        assertThat(client.events()).contains("\"t\":\"a\"", "event: end");
        assertThat(client.finished).isTrue();
        assertThat(fixture.told).doesNotContain("expose");
    }

    @Test
    void shouldAbortTheEngineBeforeTheCancelIsOnRecord() {
        TaskStream stream = fixture.running();
        stream.attach(client, 0);
        stream.onExposed();
        fixture.tokens("a");
        stream.requestCancel();
        stream.cancel("client", () -> stream.whenRecorded(() -> answers.add("204")));
        assertThat(fixture.aborted).isTrue();
        assertThat(fixture.told).contains("ended CANCELED", "record");
        assertThat(answers).isEmpty();
        stream.onRecorded();
        assertThat(answers).containsExactly("204");
        assertThat(client.events()).contains("\"canceled\":true");
    }

    @Test
    void shouldLeaveNothingOfATaskThatWasNotTaken() {
        ApiError error = ApiError.of(ErrorCode.STORAGE_FULL, "full");
        TaskStream early = fixture.running();
        early.attach(client, 0);
        fixture.tokens("a");
        early.discard(error);
        assertThat(fixture.aborted).isTrue();
        assertThat(client.events()).isEmpty();
        assertThat(client.cut).isTrue();
        assertThat(fixture.told).containsOnlyOnce("evicted");
        assertThat(early.refusal(0)).isNotNull();

        fixture.told.clear();
        TaskStream over = fixture.running();
        fixture.end();
        over.discard(error);
        assertThat(fixture.told).containsOnlyOnce("evicted");
        assertThat(fixture.home.retainedTasks()).isZero();
        assertThat(fixture.home.transcriptBytes()).isZero();
    }

    @Test
    void shouldCutReadersAndNotEndWhenItIsLeftForTheNextStart() {
        TaskStream stream = fixture.stream(Priority.INTERACTIVE, false);
        stream.attach(client, 0);
        stream.suspend();
        assertThat(client.cut).isTrue();
        assertThat(stream.ending()).isNull();
        assertThat(fixture.told).noneMatch(line -> line.startsWith("ended"));
    }

    @Test
    void shouldAnswerAReaderOfALostStreamUnderTheNextId() {
        ApiError error = ApiError.of(ErrorCode.WORKER_RESET, "reset");
        Ending ending = new Ending(Ending.Outcome.FAILED, null, null, error, null);
        TaskInfo info = fixture.stream(Priority.BATCH, true).info();
        TaskStream lost = new TaskStream(info, ending, true, System.nanoTime(), fixture.home);
        lost.keep();
        assertThat(lost.attach(client, 41)).isNull();
        assertThat(client.events()).startsWith("id: 42\nevent: error\ndata: {\"code\":\"WORKER_RESET\"");
        assertThat(client.text()).endsWith("\r\n0\r\n\r\n");
        assertThat(client.finished).isTrue();
        TaskStream kept = new TaskStream(info, ending, false, System.nanoTime(), fixture.home);
        assertThat(kept.attach(fixture.new Client(), 0).code()).isEqualTo(ErrorCode.NOT_FOUND);
    }
}
