package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.artifacts.transcript.ArchivedTask;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.EngineKind;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.TaskSpec;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.auth.Identity;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.http.ContentType;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.TaskRequestReader;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.log.TaskContext;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.llamaorch.orchestratord.server.metrics.RejectReason;
import io.llamaorch.orchestratord.server.pool.Pools;
import io.llamaorch.orchestratord.server.sse.TaskInfo;
import io.llamaorch.orchestratord.server.sse.TaskStream;
import io.netty.channel.EventLoop;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The data plane: submit, ask, stream, cancel. Every method on the loop of the connection that asks.
 */
public final class TaskRoutes {
    /** {@code 00-<trace id>-<parent id>-<flags>}. */
    private static final int TRACEPARENT_CHARS = 55;
    /** A century is as good as for ever, and leaves room to add the time of day. */
    private static final long DEADLINE_MS_MAX = TimeUnit.DAYS.toMillis(36_500);

    private static final int TOO_MANY_REQUESTS = 429;

    private final LoopContexts loops;
    private final TaskRegistry registry;
    private final SchedulerRing<Task> ring;
    private final TaskLedger ledger;
    private final Pools pools;
    private final Metrics metrics;
    private final EventLog log;
    private final ArchivedTasks archive;

    TaskRoutes(
            LoopContexts loops,
            TaskRegistry registry,
            SchedulerRing<Task> ring,
            TaskLedger ledger,
            Pools pools,
            Metrics metrics,
            EventLog log,
            ArchivedTasks archive) {
        this.archive = archive;
        this.loops = loops;
        this.registry = registry;
        this.ring = ring;
        this.ledger = ledger;
        this.pools = pools;
        this.metrics = metrics;
        this.log = log;
    }

    // ---- POST /v1/tasks ----

    /** Reads the request, asks the scheduler, and answers when it has spoken. */
    public void submit(Exchange exchange) {
        LoopContext home = loops.of(exchange.context().channel().eventLoop());
        TaskRequestReader.Result read = home.requestReader().read(exchange.body());
        TaskRequest request = read.request();
        ApiError malformed = read.error();
        if (request == null || malformed != null) {
            reject(exchange, "none", malformed == null ? ApiError.of(ErrorCode.INTERNAL, "no request") : malformed);
            return;
        }
        ApiError unsupported = unsupported(request);
        if (unsupported != null) {
            reject(exchange, request.engine().wireName(), unsupported);
            return;
        }
        Task task = newTask(exchange, request, read, home);
        ApiError unrecorded = ledger.reserve(task);
        if (unrecorded != null) {
            if (unrecorded.code() == ErrorCode.ADMISSION_REJECT) {
                metrics.backpressure(request.engine(), "ledger").inc();
            }
            reject(exchange, request.engine().wireName(), unrecorded);
            return;
        }
        TaskSpec spec = spec(
                request, read.digest(), read.promptBytes(), exchange.identity().label());
        if (!ring.offerAdmit(spec, task)) {
            ledger.release(task);
            metrics.backpressure(request.engine(), "ring").inc();
            reject(exchange, request.engine().wireName(), ringFull());
        }
    }

    private @Nullable ApiError unsupported(TaskRequest request) {
        EngineAdapter adapter = pools.adapter(request.engine());
        return adapter == null ? null : adapter.unsupported(request); // no such pool: the scheduler says so
    }

    private Task newTask(Exchange exchange, TaskRequest request, TaskRequestReader.Result read, LoopContext home) {
        String traceparent = traceparent(exchange);
        TaskInfo info = new TaskInfo(
                request.taskId(),
                request.sessionId(),
                exchange.identity().label(),
                request.engine().wireName(),
                request.priority(),
                request.detached(),
                request.seed(),
                request.samplerProfileVersion(),
                exchange.correlationId(),
                traceparent,
                System.currentTimeMillis(),
                System.nanoTime());
        byte[] body = Submission.NO_BODY;
        if (ledger.isOn()) {
            body = new byte[exchange.body().readableBytes()];
            exchange.body().getBytes(exchange.body().readerIndex(), body);
        }
        return new Task(
                new TaskStream(info, request, home.streams()),
                context(info, request.engine()),
                home,
                new Submission(body, read.digest(), Math.min(request.deadlineMs(), DEADLINE_MS_MAX)),
                new SubmitReply(exchange, info.id()));
    }

    /** What log lines say of a task. */
    static TaskContext context(TaskInfo info, EngineKind engine) {
        return new TaskContext(
                info.correlationId(),
                info.owner(),
                info.id(),
                info.sessionId(),
                engine,
                info.priority(),
                info.samplerProfileVersion(),
                info.traceparent());
    }

    /** The W3C trace context, where it is well-formed; anything else is ignored, as its specification asks. */
    public static @Nullable String traceparent(Exchange exchange) {
        String value = exchange.header("traceparent");
        if (value == null || value.length() != TRACEPARENT_CHARS) {
            return null;
        }
        for (int i = 0; i < TRACEPARENT_CHARS; i++) {
            char c = value.charAt(i);
            boolean dash = i == 2 || i == 35 || i == 52;
            boolean hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            if (dash ? c != '-' : !hex) {
                return null;
            }
        }
        return value;
    }

    /** What the scheduler needs to know of a request. */
    static TaskSpec spec(TaskRequest request, TaskSpec.Digest digest, int promptBytes, String owner) {
        return new TaskSpec(
                request.taskId(),
                owner,
                digest,
                request.sessionId(),
                request.engine(),
                request.modelRef(),
                request.ctx(),
                request.priority(),
                promptBytes,
                request.maxTokens(),
                request.expectedTokens(),
                TimeUnit.MILLISECONDS.toNanos(Math.min(request.deadlineMs(), DEADLINE_MS_MAX)),
                request.determinism(),
                request.samplerProfileVersion(),
                request.placement());
    }

    private ApiError ringFull() {
        if (!ring.alive()) {
            return ApiError.of(ErrorCode.INTERNAL, "The scheduler has stopped; the daemon is going down.");
        }
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "The scheduler is behind: " + ring.occupancy() + " of " + ring.size()
                                + " places in its ring are taken; come back in 1000 ms.")
                .retryAfterMs(1000)
                .by("ring");
    }

    private void reject(Exchange exchange, String engine, ApiError error) {
        metrics.rejected(engine, RejectReason.of(error.code())).inc();
        log.rejected(null, exchange.correlationId(), exchange.identity().label(), error);
        exchange.respondError(error);
    }

    /** Answers the submitter. */
    private record SubmitReply(Exchange exchange, UUID id) implements Task.Reply {
        @Override
        public void admitted(Admission admission, boolean replay) {
            if (replay) {
                exchange.addHeader("Idempotent-Replay", "true");
            }
            AllowanceHeaders.all(exchange, admission.allowance());
            exchange.respond(202, TaskJson.admission(exchange.json(), id, admission));
        }

        @Override
        public void refused(ApiError error, @Nullable Allowance allowance) {
            if (error.code().status() == TOO_MANY_REQUESTS) {
                AllowanceHeaders.all(exchange, allowance);
            }
            exchange.respondError(error);
        }
    }

    // ---- GET /v1/tasks/{id} ----

    /** Where the task stands: its stream's word, and the scheduler's while it is not over. */
    public void status(Exchange exchange) {
        Task task = find(exchange, archived -> archive.status(exchange, archived));
        if (task == null) {
            return;
        }
        EventLoop asker = exchange.context().channel().eventLoop();
        task.home().run(() -> {
            TaskStream stream = task.stream();
            if (stream.ending() != null) {
                stream.whenRecorded(() -> answerStatus(exchange, asker, task, null));
                return;
            }
            boolean first = task.ask(now -> stream.whenRecorded(() -> answerStatus(exchange, asker, task, now)));
            if (first) {
                UUID id = stream.info().id();
                task.home().tell(() -> ring.offerQuery(id));
            }
        });
    }

    /** On the home loop: the JSON is made here, where the stream can be read, and sent there. */
    private static void answerStatus(Exchange exchange, EventLoop asker, Task task, @Nullable Admission now) {
        TaskStatus status = TaskStatus.of(task, now);
        if (asker.inEventLoop()) {
            exchange.respond(200, status.write(exchange.json()));
        } else {
            asker.execute(() -> exchange.respond(200, status.write(exchange.json())));
        }
    }

    // ---- GET /v1/tasks/{id}/stream ----

    /** Reads the stream from the start, or from the event after {@code Last-Event-ID}. */
    public void stream(Exchange exchange) {
        int lastEventId = lastEventId(exchange);
        Task task = find(exchange, archived -> {
            if (lastEventId < 0) {
                exchange.respondError(noEventId());
            } else {
                archive.stream(exchange, archived, lastEventId);
            }
        });
        if (task == null) {
            return;
        }
        if (lastEventId < 0) {
            exchange.respondError(noEventId());
            return;
        }
        if (exchange.head()) {
            streamHead(exchange, task, lastEventId);
            return;
        }
        ExchangeConnection connection = new ExchangeConnection(exchange);
        EventLoop loop = connection.loop();
        exchange.onClose(() -> task.home().run(() -> task.stream().connectionClosed(connection)));
        task.home().run(() -> {
            connection.allowance(task.stream().allowance());
            ApiError refused = task.stream().attach(connection, lastEventId);
            if (refused == null) {
                return;
            }
            if (loop.inEventLoop()) {
                exchange.respondError(refused);
            } else {
                loop.execute(() -> exchange.respondError(refused));
            }
        });
    }

    private static ApiError noEventId() {
        return ApiError.of(
                ErrorCode.INVALID_PARAMS,
                "Last-Event-ID is not the id of an event; send one number from 0 to 2147483646, or leave it out.",
                "Last-Event-ID",
                "not an event id");
    }

    /** HEAD: what GET would begin with; no reader is attached. */
    private static void streamHead(Exchange exchange, Task task, int lastEventId) {
        EventLoop asker = exchange.context().channel().eventLoop();
        task.home().run(() -> {
            ApiError refused = task.stream().refusal(lastEventId);
            Allowance allowance = task.stream().allowance();
            Runnable answer = () -> {
                if (refused != null) {
                    exchange.respondError(refused);
                } else if (!exchange.ended()) {
                    AllowanceHeaders.budgets(exchange, allowance);
                    exchange.startStream(200, ContentType.EVENT_STREAM);
                    exchange.streamDone(true);
                }
            };
            if (asker.inEventLoop()) {
                answer.run();
            } else {
                asker.execute(answer);
            }
        });
    }

    /** 0 where there is none or it is empty, −1 where it is not one number from 0 to 2^31−2. */
    private static int lastEventId(Exchange exchange) {
        String value = exchange.header("Last-Event-ID");
        if (value == null || value.isEmpty()) {
            return 0;
        }
        if (value.length() > 10 || exchange.headerTwice("Last-Event-ID")) {
            return -1;
        }
        long id = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            id = id * 10 + (c - '0');
        }
        return id >= Integer.MAX_VALUE ? -1 : (int) id;
    }

    // ---- POST /v1/tasks/{id}/cancel ----

    /** Flag, seal on the home loop, then the 204. */
    public void cancel(Exchange exchange) {
        Task task = find(exchange, archived -> exchange.respondEmpty(204));
        if (task == null) {
            return;
        }
        EventLoop asker = exchange.context().channel().eventLoop();
        task.stream().requestCancel();
        Runnable answer = () -> exchange.respondEmpty(204);
        task.home().run(() -> task.stream().cancel("client", () -> task.stream().whenRecorded(() -> {
            if (asker.inEventLoop()) {
                answer.run();
            } else {
                asker.execute(answer);
            }
        })));
    }

    // ---- all of them ----

    /**
     * The task that the path names, where it is in memory and the asker may see it; else the answer is given and this is
     * null.
     *
     * @param onDisk gives the answer for one that is on disk alone
     */
    private @Nullable Task find(Exchange exchange, Consumer<ArchivedTask> onDisk) {
        UUID id = PathIds.uuid(exchange.id());
        Identity identity = exchange.identity();
        boolean all = identity.may(Scope.CONTROL);
        Task task = id == null ? null : registry.find(id, identity.label(), all);
        // In this order: a task is on disk before it leaves memory.
        ArchivedTask archived = task != null || id == null ? null : archive.find(id, identity.label(), all);
        if (archived != null) {
            onDisk.accept(archived);
        } else if (task == null) {
            exchange.respondError(ApiError.of(
                    ErrorCode.NOT_FOUND,
                    "No task of that id: it was never admitted, its transcript is no longer kept, or it belongs to"
                            + " another key."));
        }
        return task;
    }
}
