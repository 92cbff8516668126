package io.llamaorch.orchestratord.adapters.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.testing.DoubleText;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDouble;
import io.llamaorch.orchestratord.adapters.testing.LlamaServerDoubleProcess;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LlamaCppAdapterIT {
    private static final int TOKENS = 12;
    private static final long SEED = 42;

    private static final MultiThreadIoEventLoopGroup GROUP =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private static final LlamaServerDouble ENGINE = LlamaServerDouble.start(Map.of("slots", "2"));
    private static final LlamaCppAdapter ADAPTER =
            new LlamaCppAdapter(new EngineHttpClient(OutboundPolicy.of(List.of("http"), List.of("127.0.0.0/8"))));

    @AfterAll
    static void stop() {
        ENGINE.close();
        GROUP.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static EngineTarget target(URI url, int firstByteMs, int idleMs) {
        return EngineTarget.of("p", "r0", url, new EngineTimeouts(5_000, firstByteMs, idleMs, 20_000));
    }

    private static EngineTarget target() {
        return target(ENGINE.url(), 20_000, 20_000);
    }

    private static EngineCall start(EngineTarget target, TaskRequest request, RecordingSink sink) {
        EventLoop loop = GROUP.next();
        return loop.submit(() -> ADAPTER.start(target, request, "00-abc-def-01", loop, sink))
                .syncUninterruptibly()
                .getNow();
    }

    private static Object run(String prompt, RecordingSink sink) {
        start(target(), Requests.completion(prompt, TOKENS, SEED), sink);
        Object terminal = sink.terminal().join();
        assertThat(sink.violations()).isEmpty();
        return terminal;
    }

    private static ReplicaStatus probe(EngineTarget target) {
        CompletableFuture<ReplicaStatus> answer = new CompletableFuture<>();
        EventLoop loop = GROUP.next();
        loop.execute(() -> ADAPTER.probe(target, loop, answer::complete));
        return answer.join();
    }

    /** Waits until the double, asked over and over, says so. */
    private static void awaitStats(String part) {
        while (!ENGINE.stats().contains(part)) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[[split=1]]",
                "[[split=3,50,7]]",
                "[[batch=4]]",
                "[[batch=5]][[split=64]]",
                "[[empty=2]][[ping=1]]",
                "[[ttfh=5]][[ttft=5]][[pace=1]]",
                "[[hold=1]]"
            })
    void shouldHandOverTheTextWhateverItsCut(String markers) {
        String prompt = "hello " + markers;
        RecordingSink sink = new RecordingSink();
        Object terminal = run(prompt, sink);
        assertThat(terminal)
                .isEqualTo(new EngineUsage(FinishReason.LENGTH, prompt.length() / 4, TOKENS, 1.5, TOKENS + 0.25));
        assertThat(sink.text()).isEqualTo(DoubleText.text(prompt, SEED, TOKENS));
        assertThat(sink.tokens()).hasSize(TOKENS);
        awaitStats("\"running\":0");
    }

    @Test
    void shouldJoinACharacterThatTwoFramesShare() {
        String prompt = "join [[cutchars=1]]";
        RecordingSink sink = new RecordingSink();
        start(target(), Requests.completion(prompt, 200, SEED), sink);
        assertThat(sink.terminal().join()).isInstanceOf(EngineUsage.class);
        assertThat(sink.text().replace("\\ud83d\\ude42", "🙂")).isEqualTo(DoubleText.text(prompt, SEED, 200));
        assertThat(sink.tokens()).noneMatch(t -> t.endsWith("\\ud83d"));
    }

    @Test
    void shouldSayStopWhenTheEngineEndsByItself() {
        EngineUsage usage = (EngineUsage) run("stop [[tokens=5]]", new RecordingSink());
        assertThat(usage.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(usage.tokensOut()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource({
        "close,WORKER_RESET",
        "rst,WORKER_RESET",
        "garbage,INTERNAL",
        "badchunk,INTERNAL",
        "inband_error,WORKER_RESET",
        "oldstyle_error,WORKER_RESET",
        "context_full,REPLICA_EXHAUSTED",
        "eof_no_terminal,WORKER_RESET",
        "midutf8,WORKER_RESET"
    })
    void shouldFailOnceWhenTheEngineBreaksAtAnyToken(String fault, ErrorCode code) {
        for (int at = 0; at <= TOKENS; at++) {
            RecordingSink sink = new RecordingSink();
            Object terminal = run("p [[fault=" + fault + "@" + at + "]]", sink);
            assertThat(terminal).as("%s at %d", fault, at).isInstanceOf(EngineFailure.class);
            assertThat(((EngineFailure) terminal).code())
                    .as("%s at %d", fault, at)
                    .isEqualTo(code);
            if (!fault.equals("rst")) {
                assertThat(sink.tokens()).as("%s at %d", fault, at).hasSize(at);
            }
        }
        awaitStats("\"running\":0");
    }

    @ParameterizedTest
    @CsvSource({
        "http400,INVALID_PARAMS,false",
        "http401,POOL_UNAVAILABLE,true",
        "http500,INTERNAL,true",
        "http503,POOL_UNREADY,true",
        "toolong,INVALID_PARAMS,false"
    })
    void shouldMapTheStatusWhenTheEngineRefuses(String fault, ErrorCode code, boolean retriable) {
        EngineFailure failure =
                (EngineFailure) run("a secret prompt that must not leak [[fault=" + fault + "]]", new RecordingSink());
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.retriable()).isEqualTo(retriable);
        assertThat(failure.message()).doesNotContain("secret").hasSizeLessThan(260);
    }

    @Test
    void shouldTimeOutWhenTheEngineIsSilent() {
        // Only the limit that is meant is short, and not so short that a busy machine is taken for a silent engine.
        for (int at : new int[] {0, 1, TOKENS}) {
            RecordingSink sink = new RecordingSink();
            String prompt = "p [[fault=stall@" + at + "]]";
            int firstByteMs = at == 0 ? 100 : 20_000;
            start(target(ENGINE.url(), firstByteMs, 1_000), Requests.completion(prompt, TOKENS, SEED), sink);
            EngineFailure failure = (EngineFailure) sink.terminal().join();
            assertThat(failure.code()).isEqualTo(ErrorCode.DECODE_TIMEOUT);
            assertThat(sink.tokens()).hasSize(at);
        }
        awaitStats("\"running\":0");
    }

    @Test
    void shouldFreeTheSlotWhenAbortedAtAnyToken() {
        for (int at = 1; at <= TOKENS; at++) {
            int stopAt = at;
            CompletableFuture<EngineCall> call = new CompletableFuture<>();
            CompletableFuture<Boolean> aborted = new CompletableFuture<>();
            RecordingSink sink = new RecordingSink(n -> {
                if (n == stopAt) {
                    call.join().abort();
                    aborted.complete(true);
                }
                return true;
            });
            EventLoop loop = GROUP.next();
            TaskRequest request = Requests.completion("p [[pace=1]]", 1_000_000, SEED);
            loop.execute(() -> call.complete(ADAPTER.start(target(), request, null, loop, sink)));
            aborted.join();
            awaitStats("\"running\":0");
            assertThat(sink.tokens()).hasSize(at);
            assertThat(sink.terminal()).isNotDone();
            assertThat(sink.violations()).isEmpty();
        }
    }

    @Test
    void shouldStopReadingWhenTheSinkIsFull() {
        CompletableFuture<EngineCall> call = new CompletableFuture<>();
        EventLoop loop = GROUP.next();
        RecordingSink sink = new RecordingSink(n -> {
            loop.execute(() -> call.join().resume());
            return false;
        });
        TaskRequest request = Requests.completion("full", 500, SEED);
        loop.execute(() -> call.complete(ADAPTER.start(target(), request, null, loop, sink)));
        assertThat(sink.terminal().join()).isInstanceOf(EngineUsage.class);
        assertThat(sink.text()).isEqualTo(DoubleText.text("full", SEED, 500));
        assertThat(sink.violations()).isEmpty();
        assertThat(sink.batches()).isGreaterThan(400);
    }

    @Test
    void shouldProbeReadyLoadingAndDown() throws Exception {
        assertThat(probe(target())).isEqualTo(ReplicaStatus.ready("b1-double", 2, 4096, new EngineLoad(0, 0, 0)));
        EngineTarget gone;
        try (LlamaServerDoubleProcess other = LlamaServerDoubleProcess.start("--loading=1")) {
            gone = target(other.url(), 5_000, 5_000);
            assertThat(probe(gone).state()).isEqualTo(ReplicaStatus.State.LOADING);
            other.control("{\"loading\":0,\"slots\":7}");
            assertThat(probe(gone).slots()).isEqualTo(7);
            RecordingSink sink = new RecordingSink(n -> {
                if (n == 3) {
                    other.kill();
                }
                return true;
            });
            start(gone, Requests.completion("p [[pace=5]]", 1000, SEED), sink);
            assertThat(((EngineFailure) sink.terminal().join()).code()).isEqualTo(ErrorCode.WORKER_RESET);
        }
        assertThat(probe(gone).state()).isEqualTo(ReplicaStatus.State.DOWN);
        RecordingSink sink = new RecordingSink();
        start(gone, Requests.completion("p", 3, SEED), sink);
        assertThat(((EngineFailure) sink.terminal().join()).code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
    }
}
