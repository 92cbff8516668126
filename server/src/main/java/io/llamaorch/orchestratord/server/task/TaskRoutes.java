package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.adapters.EngineAdapter;
import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
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
import org.jspecify.annotations.Nullable;

/**
 * The data plane: submit, ask, stream, cancel. Every method on the loop of the connection that asks.
 */
public final class TaskRoutes {
    /** {@code 00-<trace id>-<parent id>-<flags>}. */
    private static final int TRACEPARENT_CHARS = 55;

    private static final int TOO_MANY_REQUESTS = 429;

    private final LoopContexts loops;
    private final TaskRegistry registry;
    private final SchedulerRing<Task> ring;
    private final Pools pools;
    private final Metrics metrics;
    private final EventLog log;

    TaskRoutes(
            LoopContexts loops,
            TaskRegistry registry,
            SchedulerRing<Task> ring,
            Pools pools,
            Metrics metrics,
            EventLog log) {
        this.loops = loops;
        this.registry = registry;
        this.ring = ring;
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
        Task task = newTask(exchange, request, home);
        TaskSpec spec = spec(request, read, exchange.identity());
        if (!ring.offerAdmit(spec, task)) {
            metrics.backpressure(request.engine(), "ring").inc();
            reject(exchange, request.engine().wireName(), ringFull());
        }
    }

    private @Nullable ApiError unsupported(TaskRequest request) {
        EngineAdapter adapter = pools.adapter(request.engine());
        return adapter == null ? null : adapter.unsupported(request); // no such pool: the scheduler says so
    }

    private static Task newTask(Exchange exchange, TaskRequest request, LoopContext home) {
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
        TaskContext context = new TaskContext(
                info.correlationId(),
                info.owner(),
                info.id(),
                info.sessionId(),
                request.engine(),
                info.priority(),
                info.samplerProfileVersion(),
                traceparent);
        return new Task(
                new TaskStream(info, request, home.streams()), context, home, new SubmitReply(exchange, info.id()));
    }

    /** The W3C trace context, where it is well-formed; anything else is ignored, as its specification asks. */
    private static @Nullable String traceparent(Exchange exchange) {
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

    private static TaskSpec spec(TaskRequest request, TaskRequestReader.Result read, Identity identity) {
        return new TaskSpec(
                request.taskId(),
                identity.label(),
                read.digest(),
                request.sessionId(),
                request.engine(),
                request.modelRef(),
                request.ctx(),
                request.priority(),
                read.promptBytes(),
                request.maxTokens(),
                request.expectedTokens(),
                deadlineNs(request.deadlineMs()),
                request.determinism(),
                request.samplerProfileVersion(),
                request.placement());
    }

    /** A century is as good as for ever, and leaves room to add the time of day. */
    private static long deadlineNs(long deadlineMs) {
        return TimeUnit.MILLISECONDS.toNanos(Math.min(deadlineMs, TimeUnit.DAYS.toMillis(36_500)));
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
        Task task = find(exchange);
        if (task == null) {
            return;
        }
        EventLoop asker = exchange.context().channel().eventLoop();
        task.home().run(() -> {
            TaskStream stream = task.stream();
            if (stream.ending() != null) {
                answerStatus(exchange, asker, stream, null);
                return;
            }
            boolean first = task.ask(now -> answerStatus(exchange, asker, stream, now));
            if (first) {
                UUID id = stream.info().id();
                task.home().tell(() -> ring.offerQuery(id));
            }
        });
    }

    /** On the home loop: the JSON is made here, where the stream can be read, and sent there. */
    private static void answerStatus(Exchange exchange, EventLoop asker, TaskStream stream, @Nullable Admission now) {
        TaskStatus status = TaskStatus.of(stream, now);
        if (asker.inEventLoop()) {
            exchange.respond(200, status.write(exchange.json()));
        } else {
            asker.execute(() -> exchange.respond(200, status.write(exchange.json())));
        }
    }

    // ---- GET /v1/tasks/{id}/stream ----

    /** Reads the stream from the start, or from the event after {@code Last-Event-ID}. */
    public void stream(Exchange exchange) {
        Task task = find(exchange);
        if (task == null) {
            return;
        }
        int lastEventId = lastEventId(exchange);
        if (lastEventId < 0) {
            exchange.respondError(ApiError.of(
                    ErrorCode.INVALID_PARAMS,
                    "Last-Event-ID is not the id of an event; send one number from 0 to 2147483646, or leave it out.",
                    "Last-Event-ID",
                    "not an event id"));
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
        Task task = find(exchange);
        if (task == null) {
            return;
        }
        EventLoop asker = exchange.context().channel().eventLoop();
        task.stream().requestCancel();
        task.home().run(() -> task.stream().cancel("client", () -> {
            if (asker.inEventLoop()) {
                exchange.respondEmpty(204);
            } else {
                asker.execute(() -> exchange.respondEmpty(204));
            }
        }));
    }

    // ---- all of them ----

    /** The task that the path names, where the asker may see it; else the answer is given and this is null. */
    private @Nullable Task find(Exchange exchange) {
        UUID id = PathIds.uuid(exchange.id());
        Identity identity = exchange.identity();
        Task task = id == null ? null : registry.find(id, identity.label(), identity.may(Scope.CONTROL));
        if (task == null) {
            exchange.respondError(ApiError.of(
                    ErrorCode.NOT_FOUND,
                    "No task of that id: it was never admitted, its transcript is no longer kept, or it belongs to"
                            + " another key."));
        }
        return task;
    }
}
