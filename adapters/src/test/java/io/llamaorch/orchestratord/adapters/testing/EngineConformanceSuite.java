package io.llamaorch.orchestratord.adapters.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineAuth;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineOutput;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.adapters.SamplingMember;
import io.llamaorch.orchestratord.adapters.wire.EngineHttpClient;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.OutboundPolicy;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * What every adapter must do, shown against a double of its engine. A subclass names the adapter, the double and what is
 * the engine's own: which faults its wire can show, and what its probe tells.
 */
@NullUnmarked
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class EngineConformanceSuite {
    /** Tokens asked for where nothing else is said. */
    protected static final int TOKENS = 12;

    /** Seed of all calls. */
    protected static final long SEED = 42;

    private static final int PATIENT_MS = 20_000;

    /** Client of all adapters: to this machine and nowhere else. */
    protected static final EngineHttpClient CLIENT =
            new EngineHttpClient(OutboundPolicy.of(List.of("http", "https"), List.of("127.0.0.0/8")));

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    /** The adapter under test. */
    protected EngineAdapter adapter;

    /** The engine that most tests share, of two slots. */
    protected EngineDouble engine;

    /** The adapter under test, on {@link #CLIENT}. */
    protected abstract EngineAdapter newAdapter();

    /** A double of its engine. */
    protected abstract EngineDouble newDouble(Map<String, String> knobs);

    /** In-band and transport faults that this engine can show, and the code of each. */
    protected abstract Map<String, ErrorCode> streamFaults();

    /** Error answers, and the code of each. */
    protected abstract Map<String, ErrorCode> refusals();

    /** What the engine says of {@code tokens} decoded for {@code prompt}. */
    protected abstract EngineUsage usage(String prompt, int tokens, FinishReason reason);

    /** What the probe of an idle double of two slots and 4,096 tokens tells. */
    protected abstract ReplicaStatus ready();

    /** What the probe tells while the model loads. */
    protected abstract ReplicaStatus.State whileLoading();

    /** A reader of frames, for measuring. */
    protected abstract FrameReader reader();

    /** Frame {@code i} with one token, whole. */
    protected abstract String frame(int i);

    /** The target as this engine wants it. */
    protected EngineTarget target(URI url, EngineTimeouts timeouts) {
        return EngineTarget.of("p", "r0", url, timeouts);
    }

    /** Whether the engine refuses calls without its key. */
    protected boolean hasKeys() {
        return true;
    }

    /** Markers of the script that change how the bytes come and not what they say. */
    protected List<String> cuts() {
        return List.of(
                "",
                "[[split=1]]",
                "[[split=3,50,7]]",
                "[[batch=4]]",
                "[[batch=5]][[split=64]]",
                "[[empty=2]]",
                "[[ttfh=5]][[ttft=5]][[pace=1]]",
                "[[chunk=3]]");
    }

    @BeforeAll
    void startAll() {
        adapter = newAdapter();
        engine = newDouble(Map.of("slots", "2"));
    }

    @AfterAll
    void stopAll() {
        engine.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** The shared double, with limits that nothing here should meet. */
    protected final EngineTarget target() {
        return target(engine.url(), patient());
    }

    private static EngineTimeouts patient() {
        return new EngineTimeouts(PATIENT_MS, PATIENT_MS, PATIENT_MS, PATIENT_MS);
    }

    /** Starts a call on a loop of the suite. */
    protected final EngineCall start(EngineTarget target, TaskRequest request, RecordingSink sink) {
        EventLoop loop = group.next();
        return loop.submit(() -> adapter.start(target, request, "00-abc-def-01", loop, sink))
                .syncUninterruptibly()
                .getNow();
    }

    /** Runs a call to its end: a usage or a failure. */
    protected final Object run(EngineTarget target, TaskRequest request, RecordingSink sink) {
        start(target, request, sink);
        Object terminal = sink.terminal().join();
        assertThat(sink.violations()).isEmpty();
        return terminal;
    }

    private Object run(String prompt, RecordingSink sink) {
        return run(target(), Requests.completion(prompt, TOKENS, SEED), sink);
    }

    /** Probes once. */
    protected final ReplicaStatus probe(EngineTarget target) {
        CompletableFuture<ReplicaStatus> answer = new CompletableFuture<>();
        EventLoop loop = group.next();
        loop.execute(() -> adapter.probe(target, loop, answer::complete));
        return answer.join();
    }

    /** Waits until the shared double, asked over and over, says so. */
    protected final void awaitStats(String part) {
        while (!engine.stats().contains(part)) {
            Thread.onSpinWait();
        }
    }

    /** A loop of the suite. */
    protected final EventLoop loop() {
        return group.next();
    }

    @Test
    void shouldHandOverTheTextWhateverItsCut() {
        for (String markers : cuts()) {
            String prompt = "hello " + markers;
            RecordingSink sink = new RecordingSink();
            assertThat(run(prompt, sink)).as(markers).isEqualTo(usage(prompt, TOKENS, FinishReason.LENGTH));
            assertThat(sink.text()).as(markers).isEqualTo(DoubleText.text(prompt, SEED, TOKENS));
        }
        awaitStats("\"running\":0");
    }

    @Test
    void shouldHandOverTheTextWhereverABytePairIsCut() {
        for (int at = 1; at < 700; at++) {
            String prompt = "cut [[split=" + at + ",100000]]";
            RecordingSink sink = new RecordingSink();
            Object terminal = run(target(), Requests.completion(prompt, 2, SEED), sink);
            assertThat(terminal).as(prompt).isEqualTo(usage(prompt, 2, FinishReason.LENGTH));
            assertThat(sink.text()).as(prompt).isEqualTo(DoubleText.text(prompt, SEED, 2));
        }
    }

    @Test
    void shouldJoinACharacterThatTwoFramesShare() {
        String prompt = "join [[cutchars=1]]";
        RecordingSink sink = new RecordingSink();
        assertThat(run(target(), Requests.completion(prompt, 200, SEED), sink)).isInstanceOf(EngineUsage.class);
        assertThat(sink.text().replace("\\ud83d\\ude42", "🙂")).isEqualTo(DoubleText.text(prompt, SEED, 200));
        assertThat(sink.tokens()).noneMatch(t -> t.endsWith("\\ud83d"));
    }

    @Test
    void shouldSayStopWhenTheEngineEndsByItself() {
        String prompt = "stop [[tokens=5]]";
        assertThat(run(prompt, new RecordingSink())).isEqualTo(usage(prompt, 5, FinishReason.STOP));
    }

    @Test
    void shouldSayTheSameForTheSameSeedOnly() {
        List<String> texts = new ArrayList<>();
        for (long seed : new long[] {7, 7, 8}) {
            RecordingSink sink = new RecordingSink();
            run(target(), Requests.completion("seeded", 40, seed), sink);
            texts.add(sink.text());
        }
        assertThat(texts.get(0)).isEqualTo(texts.get(1)).isNotEqualTo(texts.get(2));
    }

    @Test
    void shouldFailOnceWhenTheEngineBreaksAtAnyToken() {
        streamFaults().forEach((fault, code) -> {
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
        });
        awaitStats("\"running\":0");
    }

    @Test
    void shouldMapTheStatusWhenTheEngineRefuses() {
        refusals().forEach((fault, code) -> {
            EngineFailure failure = (EngineFailure)
                    run("a secret prompt that must not leak [[fault=" + fault + "]]", new RecordingSink());
            assertThat(failure.code()).as(fault).isEqualTo(code);
            assertThat(failure.retriable()).as(fault).isEqualTo(code.retriable());
            assertThat(failure.message()).as(fault).doesNotContain("secret").hasSizeLessThan(280);
        });
    }

    @Test
    void shouldTimeOutWhenTheEngineIsSilent() {
        // Only the limit that is meant is short, and not so short that a busy machine is taken for a silent engine.
        for (int at : new int[] {0, 1, TOKENS}) {
            RecordingSink sink = new RecordingSink();
            int firstByteMs = at == 0 ? 100 : PATIENT_MS;
            EngineTimeouts limits = new EngineTimeouts(PATIENT_MS, firstByteMs, 1_000, PATIENT_MS);
            TaskRequest request = Requests.completion("p [[fault=stall@" + at + "]]", TOKENS, SEED);
            EngineFailure failure = (EngineFailure) run(target(engine.url(), limits), request, sink);
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
            EventLoop loop = group.next();
            TaskRequest request = Requests.completion("p [[pace=1]]", 1_000_000, SEED);
            loop.execute(() -> call.complete(adapter.start(target(), request, null, loop, sink)));
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
        EventLoop loop = group.next();
        RecordingSink sink = new RecordingSink(n -> {
            loop.execute(() -> call.join().resume());
            return false;
        });
        TaskRequest request = Requests.completion("full", 500, SEED);
        loop.execute(() -> call.complete(adapter.start(target(), request, null, loop, sink)));
        assertThat(sink.terminal().join()).isInstanceOf(EngineUsage.class);
        assertThat(sink.text()).isEqualTo(DoubleText.text("full", SEED, 500));
        assertThat(sink.violations()).isEmpty();
        assertThat(sink.batches()).isGreaterThan(400);
    }

    @Test
    void shouldProbeReadyLoadingAndDown() {
        EngineDouble other = newDouble(Map.of("slots", "2"));
        EngineTarget gone = target(other.url(), patient());
        try {
            assertThat(probe(gone)).isEqualTo(ready());
            other.set("loading", "1");
            assertThat(probe(gone).state()).isEqualTo(whileLoading());
            assertThat(probe(gone).lastError()).isNotBlank();
        } finally {
            other.close();
        }
        assertThat(probe(gone).state()).isEqualTo(ReplicaStatus.State.DOWN);
        RecordingSink sink = new RecordingSink();
        EngineFailure failure = (EngineFailure) run(gone, Requests.completion("p", 3, SEED), sink);
        assertThat(failure.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
    }

    @Test
    void shouldAnswerAProbeWithinItsLimitWhenTheEngineHangs() {
        EngineDouble hung = newDouble(Map.of("stall_probes", "1"));
        try {
            EngineTimeouts limits = new EngineTimeouts(PATIENT_MS, PATIENT_MS, PATIENT_MS, 250);
            ReplicaStatus status = probe(target(hung.url(), limits));
            assertThat(status.state()).isEqualTo(ReplicaStatus.State.DOWN);
            assertThat(status.lastError()).contains("within 250 ms");
        } finally {
            hung.close();
        }
    }

    @Test
    void shouldSendTheKeyAndNeverShowIt() {
        if (!hasKeys()) {
            return;
        }
        EngineDouble locked = newDouble(Map.of("api_key", "k-e-y"));
        try {
            EngineTarget open = target(locked.url(), patient());
            EngineTarget keyed = open.withAuth(EngineAuth.bearer("k-e-y"));
            EngineFailure failure = (EngineFailure) run(open, Requests.completion("p", 2, SEED), new RecordingSink());
            assertThat(failure.code()).isEqualTo(ErrorCode.POOL_UNAVAILABLE);
            assertThat(probe(open).state()).isEqualTo(ReplicaStatus.State.DOWN);
            assertThat(run(keyed, Requests.completion("p", 2, SEED), new RecordingSink()))
                    .isInstanceOf(EngineUsage.class);
            assertThat(probe(keyed).state()).isEqualTo(ReplicaStatus.State.READY);
            assertThat(keyed.toString()).doesNotContain("k-e-y");
        } finally {
            locked.close();
        }
    }

    @Test
    void shouldGiveVectorsInTheOrderOfTheInputs() {
        List<String> inputs = List.of("one", "zwei", "三");
        TaskRequest request = Requests.of(Workload.EMBEDDING, inputs);
        if (!adapter.workloads().contains(Workload.EMBEDDING)) {
            refusesWorkload(request);
            return;
        }
        RecordingSink sink = new RecordingSink();
        assertThat(run(target(), request, sink)).isInstanceOf(EngineUsage.class);
        EngineOutput output = sink.output();
        assertThat(output.scores()).isNull();
        assertThat(output.embeddings()).hasSize(3);
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < DoubleOutputs.DIMENSIONS; k++) {
                assertThat(output.embeddings().get(i)[k]).isEqualTo(DoubleOutputs.component(inputs.get(i), k));
            }
        }
        refusesOutputs(Workload.EMBEDDING);
    }

    @Test
    void shouldGiveScoresInTheOrderOfTheInputs() {
        List<String> inputs = List.of("query", "a", "b", "c", "d");
        TaskRequest request = Requests.of(Workload.RERANK, inputs);
        if (!adapter.workloads().contains(Workload.RERANK)) {
            refusesWorkload(request);
            return;
        }
        RecordingSink sink = new RecordingSink();
        assertThat(run(target(), request, sink)).isInstanceOf(EngineUsage.class);
        assertThat(sink.output().embeddings()).isNull();
        for (int i = 0; i < 4; i++) {
            assertThat(sink.output().scores()[i]).isEqualTo(DoubleOutputs.score("query", inputs.get(i + 1)));
        }
        refusesOutputs(Workload.RERANK);
    }

    private void refusesOutputs(Workload workload) {
        for (String fault : List.of("http400", "garbage")) {
            List<String> inputs = List.of("query [[fault=" + fault + "]]", "secret text [[fault=" + fault + "]]");
            RecordingSink sink = new RecordingSink();
            EngineFailure failure = (EngineFailure) run(target(), Requests.of(workload, inputs), sink);
            assertThat(failure.code())
                    .isEqualTo(fault.equals("garbage") ? ErrorCode.INTERNAL : ErrorCode.INVALID_PARAMS);
            assertThat(failure.message()).doesNotContain("secret");
            assertThat(sink.output()).isNull();
        }
    }

    private void refusesWorkload(TaskRequest request) {
        assertThat(adapter.unsupported(request).details().get(0).name()).isEqualTo("/workload");
    }

    @Test
    void shouldNameTheMemberThatTheEngineDoesNotTake() {
        for (SamplingMember member : SamplingMember.values()) {
            TaskRequest request = Requests.completion("p", 3, SEED, Workload.COMPLETION, only(member));
            if (adapter.features().sampling().contains(member)) {
                assertThat(adapter.unsupported(request)).as(member.wireName()).isNull();
                run(target(), request, new RecordingSink());
                assertThat(carries(engine.lastBody(), member))
                        .as(engine.lastBody())
                        .isTrue();
            } else {
                assertThat(adapter.unsupported(request).details().get(0).name())
                        .isEqualTo("/sampling/" + member.wireName());
            }
        }
    }

    /** Whether the body that the engine got holds what {@link #only} gave. */
    protected boolean carries(String body, SamplingMember member) {
        String value =
                switch (member) {
                    case TEMPERATURE -> "0.125";
                    case TOP_P -> "0.375";
                    case TOP_K -> ":17";
                    case MIN_P -> "0.0625";
                    case REPEAT_PENALTY -> "1.125";
                    case STOP -> "\"halt\"";
                    case GRAMMAR -> "root ::=";
                    case JSON_SCHEMA -> "\"maxProperties\":3";
                };
        return body.contains(value);
    }

    private static TaskRequest.Sampling only(SamplingMember member) {
        return new TaskRequest.Sampling(
                member == SamplingMember.TEMPERATURE ? 0.125 : Double.NaN,
                member == SamplingMember.TOP_P ? 0.375 : Double.NaN,
                member == SamplingMember.TOP_K ? 17 : -1,
                member == SamplingMember.MIN_P ? 0.0625 : Double.NaN,
                member == SamplingMember.REPEAT_PENALTY ? 1.125 : Double.NaN,
                member == SamplingMember.STOP ? List.of("halt") : List.of(),
                member == SamplingMember.GRAMMAR ? "root ::= \"a\"" : null,
                member == SamplingMember.JSON_SCHEMA ? "{\"type\":\"object\",\"maxProperties\":3}" : null);
    }

    @Test
    protected void shouldNotAllocateForTokens() {
        assertThat(TokenAllocation.bytesPerToken(this::reader, this::frame)).isLessThanOrEqualTo(1.0);
    }

    @Test
    void shouldRefuseOptionsItDoesNotKnow() {
        assertThat(adapter.problemOf(target())).isNull();
        assertThat(adapter.problemOf(target().withOptions(Map.of("no such", "x"))))
                .contains("no such");
    }
}
