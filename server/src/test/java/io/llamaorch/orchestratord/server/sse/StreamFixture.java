package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.adapters.EngineCall;
import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineFeatures;
import io.llamaorch.orchestratord.adapters.EngineSink;
import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptHead;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptRef;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.task.Determinism;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import io.llamaorch.orchestratord.contracts.task.Priority;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Dispatch;
import io.llamaorch.orchestratord.scheduler.core.Lease;
import io.llamaorch.orchestratord.scheduler.core.PlacementDecision;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** A stream on a hand-driven loop, an engine that does what the test says, and clients that read when told to. */
@NullUnmarked
final class StreamFixture implements StreamEvents, EngineAdapter, EngineCall {
    /** Trace context of every task. */
    static final String TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    final List<EngineFailure> engineFailures = new ArrayList<>();
    final List<TaskStream> retries = new ArrayList<>();
    final EmbeddedChannel clock = new EmbeddedChannel();
    private final Queue<Runnable> arrived = new ConcurrentLinkedQueue<>();
    final EventLoop loop = handDriven(clock.eventLoop());
    final List<String> told = new ArrayList<>();
    final StreamLoop home;
    /** Whether a ledger is asked, whose acknowledgements the test gives. */
    boolean onRecord;

    EngineSink sink;
    boolean aborted;

    @Nullable
    String passedOn;

    int resumed;

    @Nullable
    String throwOn;

    StreamFixture() {
        this(new Retention(8 << 20, 1000, 3_600_000));
    }

    StreamFixture(Retention retention) {
        this(retention, 1_000, 0);
    }

    StreamFixture(Retention retention, long metricsPeriodMs, long interactiveGraceMs) {
        this(retention, metricsPeriodMs, interactiveGraceMs, null);
    }

    /** @param transcripts where the streams go that are over; null: nowhere */
    StreamFixture(
            Retention retention, long metricsPeriodMs, long interactiveGraceMs, @Nullable TranscriptLog transcripts) {
        clock.freezeTime();
        StreamSettings settings =
                new StreamSettings(15_000, metricsPeriodMs, 60_000, 1 << 20, interactiveGraceMs, -1, 1000, 50, 4);
        home = new StreamLoop(
                loop, settings, this, SlabPool.newShared(), retention, transcripts, StreamFixture::describe);
    }

    /** What other threads hand to the loop waits for {@link #runArrived}: the embedded one is not made for them. */
    private EventLoop handDriven(EventLoop embedded) {
        Thread owner = Thread.currentThread();
        return (EventLoop) Proxy.newProxyInstance(
                StreamFixture.class.getClassLoader(), new Class<?>[] {EventLoop.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("execute") && Thread.currentThread() != owner) {
                        arrived.add((Runnable) arguments[0]);
                        return null;
                    }
                    try {
                        return method.invoke(embedded, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Runs what has been handed to the loop, by whichever thread. */
    void runArrived() {
        for (Runnable task = arrived.poll(); task != null; task = arrived.poll()) {
            task.run();
        }
        clock.runPendingTasks();
    }

    private static TranscriptMaker.Made describe(TaskStream stream) {
        TaskInfo info = stream.info();
        return new TranscriptMaker.Made() {
            @Override
            public TranscriptHead head() {
                byte[] json = "{\"state\":{}}".getBytes(StandardCharsets.UTF_8);
                return new TranscriptHead(json, 9, 11);
            }

            @Override
            public ArchivedTask archived(TranscriptRef ref) {
                return new ArchivedTask(info.id(), info.owner(), 1, 2, "default", 0, ref);
            }
        };
    }

    void advance(long ms) {
        clock.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        clock.runScheduledPendingTasks();
    }

    /** Notes what was told; where the test wants that, throws, once. */
    private void tell(String what) {
        told.add(what);
        if (what.equals(throwOn)) {
            throwOn = null;
            throw new IllegalStateException(what);
        }
    }

    TaskStream stream(Priority priority, boolean detached) {
        UUID id = UUID.randomUUID();
        TaskInfo info = new TaskInfo(
                id,
                UUID.randomUUID(),
                "ops",
                "mock",
                priority,
                detached,
                OptionalLong.of(7),
                null,
                "corr-1",
                TRACEPARENT,
                0,
                System.nanoTime());
        TaskRequest request = new TaskRequest(
                id,
                info.sessionId(),
                Workload.COMPLETION,
                "file:m",
                EngineKind.MOCK,
                0,
                priority,
                100,
                60_000,
                "p",
                List.of(),
                OptionalLong.of(7),
                Determinism.BEST_EFFORT,
                null,
                0,
                null,
                null,
                TaskRequest.Sampling.DEFAULT,
                TaskRequest.Placement.AUTO,
                detached);
        TaskStream stream = new TaskStream(info, request, home);
        stream.onAdmitted(new Admission("default", 2, 420, 900, 0, 0.9, 3, null));
        return stream;
    }

    /** An interactive stream whose engine has taken the request. */
    TaskStream running() {
        TaskStream stream = stream(Priority.INTERACTIVE, false);
        dispatch(stream);
        sink.accepted();
        return stream;
    }

    boolean dispatch(TaskStream stream) {
        return dispatch(stream, home);
    }

    boolean dispatch(TaskStream stream, StreamLoop engineLoop) {
        return dispatch(stream, engineLoop, 0, false);
    }

    /** @param retriable whether another replica could take over */
    boolean dispatch(TaskStream stream, StreamLoop engineLoop, int attempt, boolean retriable) {
        PlacementDecision decision = new PlacementDecision("default", "r0", false, false, List.of(), "only_candidate");
        Dispatch dispatch = new Dispatch(
                new Lease(0, 0, 0, 0),
                "default",
                "r0",
                "mock-1",
                1_000_000,
                false,
                0.9,
                3,
                0,
                attempt,
                retriable,
                null,
                decision);
        return stream.onDispatched(
                dispatch,
                this,
                EngineTarget.of("default", "r0", URI.create("mock:x"), EngineTimeouts.of(1, 1, 1)),
                engineLoop);
    }

    void tokens(String... texts) {
        for (String text : texts) {
            ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
            sink.token(bytes, 0, bytes.readableBytes());
        }
        sink.batchEnd();
    }

    void end() {
        sink.end(new EngineUsage(FinishReason.STOP, 3, 5, 1, 2));
    }

    /** A client on the fixture's own loop. */
    final class Client implements ReaderConnection {
        final ByteArrayOutputStream received = new ByteArrayOutputStream();
        boolean accepts = true;
        boolean finished;
        boolean cut;

        @Nullable
        Runnable onWrite;

        @Nullable
        Runnable whenDrained;

        @Nullable
        ByteBuf stuck;

        String text() {
            return received.toString(StandardCharsets.UTF_8);
        }

        /** Events without chunk framing, comments and the retry line. */
        String events() {
            StringBuilder plain = new StringBuilder();
            String rest = text();
            while (!rest.isEmpty()) {
                int line = rest.indexOf("\r\n");
                int size = Integer.parseInt(rest.substring(0, line), 16);
                String chunk = rest.substring(line + 2, line + 2 + size);
                if (!chunk.startsWith(":") && !chunk.startsWith("retry")) {
                    plain.append(chunk);
                }
                rest = rest.substring(line + 2 + size + 2);
            }
            return plain.toString();
        }

        void drainNow() {
            accepts = true;
            ByteBuf bytes = stuck;
            Runnable callback = whenDrained;
            stuck = null;
            whenDrained = null;
            if (bytes != null) {
                take(bytes);
            }
            if (callback != null) {
                callback.run();
            }
        }

        private void take(ByteBuf bytes) {
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.readBytes(copy);
            bytes.release();
            received.writeBytes(copy);
        }

        @Override
        public EventLoop loop() {
            return loop;
        }

        @Override
        public boolean http10() {
            return false;
        }

        @Override
        public void start() {}

        @Override
        public boolean write(ByteBuf bytes) {
            if (onWrite != null) {
                bytes.release();
                onWrite.run();
                return false;
            }
            if (accepts) {
                take(bytes);
                return true;
            }
            stuck = bytes;
            return false;
        }

        @Override
        public void whenDrained(Runnable callback) {
            whenDrained = callback;
        }

        @Override
        public void finish() {
            finished = true;
        }

        @Override
        public void cut() {
            cut = true;
            if (stuck != null) {
                stuck.release();
                stuck = null;
            }
        }
    }

    // ---- engine ----

    @Override
    public EngineKind kind() {
        return EngineKind.MOCK;
    }

    @Override
    public Set<Workload> workloads() {
        return Set.of(Workload.COMPLETION);
    }

    @Override
    public EngineFeatures features() {
        return new EngineFeatures(true, Set.of(), true, "");
    }

    @Override
    public @Nullable String problemOf(EngineTarget target) {
        return null;
    }

    @Override
    public @Nullable ApiError unsupported(TaskRequest request) {
        return null;
    }

    @Override
    public EngineCall start(
            EngineTarget target, TaskRequest request, @Nullable String traceparent, EventLoop on, EngineSink to) {
        tell("start");
        passedOn = traceparent;
        sink = to;
        return this;
    }

    @Override
    public void probe(EngineTarget target, EventLoop on, Consumer<ReplicaStatus> answer) {}

    @Override
    public void abort() {
        aborted = true;
    }

    @Override
    public void resume() {
        resumed++;
    }

    // ---- events ----

    @Override
    public void started(TaskStream stream) {}

    @Override
    public void firstToken(TaskStream stream) {
        tell("firstToken");
    }

    @Override
    public void progress(TaskStream stream) {
        tell("progress");
    }

    @Override
    public void askPosition(TaskStream stream) {
        tell("askPosition");
    }

    @Override
    public void engineFailed(TaskStream stream, EngineFailure failure) {
        engineFailures.add(failure);
    }

    @Override
    public void retry(TaskStream stream) {
        retries.add(stream);
    }

    @Override
    public void ended(TaskStream stream) {
        tell("ended " + stream.ending().outcome());
    }

    @Override
    public boolean expose(TaskStream stream) {
        if (onRecord) {
            told.add("expose");
        }
        return onRecord;
    }

    @Override
    public boolean record(TaskStream stream) {
        if (onRecord) {
            told.add("record");
        }
        return onRecord;
    }

    @Override
    public void readerCut(TaskStream stream, String reason, long lagBytes) {
        tell("cut " + reason);
    }

    @Override
    public void defect(TaskStream stream, Throwable thrown) {
        told.add("defect " + thrown.getMessage());
    }

    @Override
    public void metricsFrameDropped(TaskStream stream) {
        tell("metricsFrameDropped");
    }

    @Override
    public void evicted(TaskStream stream) {
        tell("evicted");
    }
}
