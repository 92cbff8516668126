package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.server.sse.Ending.Outcome;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class TaskStreamTest {
    private final StreamFixture fixture = new StreamFixture();

    @Test
    void shouldSendStartedTokensMetricsAndEndInOrderWithDenseIds() {
        TaskStream stream = fixture.running();
        StreamFixture.Client client = fixture.new Client();
        assertThat(stream.attach(client, 0)).isNull();
        fixture.tokens("a", "b\\n");
        fixture.tokens("c");
        fixture.end();
        assertThat(client.events())
                .matches(
                        """
                        (?s)id: 1
                        event: started
                        data: \\{.*?\\}

                        id: 2
                        event: token
                        data: \\{"t":"a","i":0\\}

                        id: 3
                        event: metrics
                        data: \\{"queue_depth":3,"on_time_probability":0.9,.*?\\}

                        id: 4
                        event: token
                        data: \\{"t":"b\\\\n","i":1\\}

                        id: 5
                        event: token
                        data: \\{"t":"c","i":2\\}

                        id: 6
                        event: end
                        data: \\{"tokens_in":3,"tokens_out":3,.*"finish_reason":"stop"\\}

                        """);
        assertThat(client.finished).isTrue();
        assertThat(client.text()).endsWith("\r\n0\r\n\r\n");
        assertThat(fixture.told).containsExactly("start", "firstToken", "ended COMPLETED");
    }

    @Test
    void shouldPassTheTraceContextToTheEngine() {
        fixture.running();
        assertThat(fixture.passedOn).isEqualTo(StreamFixture.TRACEPARENT);
    }

    @Test
    void shouldGiveEveryReaderTheSameBytesFromAnyEventOnWhenTheyComeLate() {
        TaskStream stream = fixture.running();
        StreamFixture.Client early = fixture.new Client();
        stream.attach(early, 0);
        fixture.tokens("a", "b", "c");
        StreamFixture.Client middle = fixture.new Client();
        stream.attach(middle, 2);
        fixture.tokens("d");
        fixture.end();
        String all = early.events();
        assertThat(middle.events()).isEqualTo(all.substring(all.indexOf("id: 3\n")));
        for (int last = 0; last <= stream.lastEventId(); last++) {
            StreamFixture.Client late = fixture.new Client();
            assertThat(stream.attach(late, last)).isNull();
            int from = last == stream.lastEventId() ? all.length() : all.indexOf("id: " + (last + 1) + "\n");
            assertThat(late.events()).isEqualTo(all.substring(from));
            assertThat(late.finished).isTrue();
        }
        ApiError refused = stream.attach(fixture.new Client(), stream.lastEventId() + 1);
        assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_PARAMS);
    }

    @Test
    void shouldNotSlowTheEngineOrOtherReadersWhenOneReaderIsStuck() {
        TaskStream stream = fixture.running();
        StreamFixture.Client quick = fixture.new Client();
        StreamFixture.Client stuck = fixture.new Client();
        stream.attach(quick, 0);
        stream.attach(stuck, 0);
        stuck.accepts = false;
        for (int i = 0; i < 2000; i++) {
            fixture.tokens("token" + i);
        }
        fixture.end();
        assertThat(quick.finished).isTrue();
        assertThat(fixture.resumed).isZero();
        assertThat(stuck.finished).isFalse();
        stuck.drainNow();
        assertThat(stuck.finished).isTrue();
        assertThat(stuck.events()).isEqualTo(quick.events());
    }

    @Test
    void shouldDropWhatNobodyGotAndEndAtOnceWhenCanceled() {
        TaskStream stream = fixture.running();
        StreamFixture.Client client = fixture.new Client();
        stream.attach(client, 0);
        fixture.tokens("a", "b");
        client.accepts = false;
        fixture.tokens("c");
        fixture.tokens("d", "e"); // decoded, but the socket has not even taken c
        boolean[] settled = new boolean[1];
        stream.requestCancel();
        stream.cancel("client", () -> settled[0] = true);
        assertThat(fixture.aborted).isTrue();
        assertThat(settled[0]).as("c is on its way to the socket").isFalse();
        client.drainNow();
        assertThat(settled[0]).isTrue();
        String events = client.events();
        assertThat(events).contains("\"t\":\"c\"").doesNotContain("\"t\":\"d\"");
        assertThat(events).endsWith("\"finish_reason\":\"canceled\",\"canceled\":true}\n\n");
        assertThat(events).doesNotContain("tokens_in"); // the engine has not told it
        assertThat(events).contains("\"tokens_out\":3");
        assertThat(client.finished).isTrue();
        StreamFixture.Client late = fixture.new Client();
        stream.attach(late, 0);
        assertThat(late.events()).isEqualTo(events);
    }

    @Test
    void shouldCutAReaderThatTakesNothingRatherThanKeepTheCancelWaiting() {
        TaskStream stream = fixture.running();
        StreamFixture.Client stuck = fixture.new Client();
        stream.attach(stuck, 0);
        fixture.tokens("a");
        stuck.accepts = false;
        fixture.tokens("b");
        boolean[] settled = new boolean[1];
        stream.cancel("client", () -> settled[0] = true);
        assertThat(settled[0]).isFalse();
        fixture.advance(60);
        assertThat(settled[0]).isTrue();
        assertThat(stuck.cut).isTrue();
        assertThat(fixture.told).contains("cut cancel", "ended CANCELED");
    }

    @Test
    void shouldWriteNoTokenOnceACancelWasAskedFor() {
        TaskStream stream = fixture.running();
        StreamFixture.Client client = fixture.new Client();
        stream.attach(client, 0);
        fixture.tokens("a");
        stream.requestCancel();
        fixture.tokens("b");
        fixture.end();
        assertThat(client.events()).doesNotContain("\"t\":\"b\"").doesNotContain("event: end");
        stream.cancel("client", () -> {});
        assertThat(client.events()).contains("\"canceled\":true");
        stream.cancel("client", () -> fixture.told.add("again"));
        assertThat(fixture.told).contains("again").containsOnlyOnce("ended CANCELED");
    }

    @Test
    void shouldEndWithoutStartedAndRefuseTheSlotWhenCanceledWhileQueued() {
        TaskStream stream = fixture.stream(Priority.INTERACTIVE, false);
        StreamFixture.Client client = fixture.new Client();
        stream.attach(client, 0);
        assertThat(client.text()).contains(": queued position=2 eta_ms=420\n\n");
        Admission now = new Admission("default", 1, 200, 300, 0, 0.9, 3, null);
        stream.onAnswered(now);
        assertThat(client.text()).as("a client's GET asked").doesNotContain("position=1");
        stream.onTick(System.nanoTime() + TimeUnit.SECONDS.toNanos(20));
        assertThat(fixture.told).containsExactly("askPosition");
        stream.onAnswered(now);
        assertThat(client.text()).contains(": queued position=1 eta_ms=200\n\n");
        stream.requestCancel();
        stream.cancel("client", () -> {});
        assertThat(client.events()).startsWith("id: 1\nevent: end\n");
        assertThat(fixture.dispatch(stream)).isFalse();
    }

    @Test
    void shouldCancelWhenTheLastReaderLeavesUnlessDetachedOrBatch() {
        TaskStream interactive = fixture.running();
        StreamFixture.Client one = fixture.new Client();
        StreamFixture.Client two = fixture.new Client();
        interactive.attach(one, 0);
        interactive.attach(two, 0);
        interactive.connectionClosed(one);
        assertThat(interactive.ending()).isNull();
        interactive.connectionClosed(two);
        assertThat(interactive.ending().cancelReason()).isEqualTo("disconnect");

        TaskStream detached = fixture.stream(Priority.INTERACTIVE, true);
        fixture.dispatch(detached);
        detached.attach(one, 0);
        detached.connectionClosed(one);
        assertThat(detached.ending()).isNull();

        TaskStream batch = fixture.stream(Priority.BATCH, false);
        fixture.dispatch(batch);
        batch.attach(one, 0);
        batch.connectionClosed(one);
        assertThat(batch.ending()).isNull();
    }

    @Test
    void shouldGiveAReaderThatCameBackAndLeftAgainAGraceOfItsOwn() {
        StreamFixture patient = new StreamFixture(new Retention(8 << 20, 10, 3_600_000), 1_000, 100);
        TaskStream stream = patient.running();
        for (int i = 0; i < 2; i++) {
            StreamFixture.Client reader = patient.new Client();
            stream.attach(reader, 0);
            stream.connectionClosed(reader);
            patient.advance(60);
        }
        assertThat(stream.ending())
                .as("120 ms after the first left, 60 after the second")
                .isNull();
        patient.advance(60);
        assertThat(stream.ending().cancelReason()).isEqualTo("disconnect");
    }

    @Test
    void shouldSendOneErrorWhenTheEngineBreaksAndNothingAfter() {
        TaskStream stream = fixture.running();
        StreamFixture.Client client = fixture.new Client();
        stream.attach(client, 0);
        fixture.tokens("a");
        fixture.sink.failed(new EngineFailure(ErrorCode.WORKER_RESET, "The engine closed the connection.", true));
        stream.fail(Outcome.FAILED, ApiError.of(ErrorCode.DECODE_TIMEOUT, "late"));
        stream.cancel("client", () -> {});
        assertThat(client.events())
                .endsWith("event: error\ndata: {\"code\":\"WORKER_RESET\",\"message\":\"The engine closed the"
                        + " connection.\",\"retriable\":true,\"engine\":\"mock\",\"pool_id\":\"default\"}\n\n");
        assertThat(client.finished).isTrue();
        assertThat(fixture.told).containsOnlyOnce("ended FAILED");
    }

    @Test
    void shouldLetGoOfTheOldestAndServeWhoReadsItWhenMoreAreKeptThanAllowed() {
        StreamFixture small = new StreamFixture(new Retention(8 << 20, 2, 3_600_000));
        TaskStream first = small.running();
        small.tokens("a");
        small.end();
        StreamFixture.Client reading = small.new Client();
        reading.accepts = false;
        first.attach(reading, 0);
        for (int i = 0; i < 2; i++) {
            small.running();
            small.tokens("b");
            small.end();
        }
        assertThat(small.told).contains("evicted").doesNotContain("cut evicted");
        assertThat(first.attach(small.new Client(), 0).code()).isEqualTo(ErrorCode.NOT_FOUND);
        long held = small.home.arena().usedBytes();
        reading.drainNow();
        assertThat(reading.finished).isTrue();
        assertThat(reading.events()).contains("event: end");
        assertThat(small.home.arena().usedBytes()).isLessThan(held);
    }

    @Test
    void shouldCutWhoReadsAnOldTranscriptWhenARunningTaskNeedsItsMemory() {
        TaskStream old = fixture.running();
        fixture.tokens("a");
        fixture.end();
        StreamFixture.Client reading = fixture.new Client();
        reading.accepts = false;
        old.attach(reading, 0);
        assertThat(fixture.home.retained().freeOldest()).isTrue();
        assertThat(reading.cut).isTrue();
        assertThat(fixture.told).contains("cut evicted", "evicted");
        assertThat(fixture.home.arena().usedBytes()).isZero();
    }

    @Test
    void shouldSayThatItWaitsWhenItHasASlotAndNoEvent() {
        TaskStream stream = fixture.stream(Priority.INTERACTIVE, false);
        fixture.dispatch(stream);
        StreamFixture.Client client = fixture.new Client();
        stream.attach(client, 0);
        assertThat(client.text()).contains(": waiting\n\n");
    }
}
