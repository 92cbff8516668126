package io.llamaorch.orchestratord.server.task;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import io.llamaorch.orchestratord.scheduler.core.BudgetKind;
import io.llamaorch.orchestratord.scheduler.core.SessionInfo;
import io.llamaorch.orchestratord.scheduler.ring.SchedulerRing;
import io.llamaorch.orchestratord.server.auth.Identity;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.llamaorch.orchestratord.server.http.Exchange;
import io.llamaorch.orchestratord.server.json.JsonWriter;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Sessions: how one stands, and its end. Every method on the loop of the connection that asks. */
public final class SessionRoutes {
    private final LoopContexts loops;
    private final SchedulerRing<Task> ring;

    SessionRoutes(LoopContexts loops, SchedulerRing<Task> ring) {
        this.loops = loops;
        this.ring = ring;
    }

    /** {@code GET /v1/sessions/{id}}: the scheduler is asked. */
    public void get(Exchange exchange) {
        UUID id = PathIds.uuid(exchange.id());
        if (id == null) {
            unknown(exchange);
            return;
        }
        Identity who = exchange.identity();
        EventLoop asker = exchange.context().channel().eventLoop();
        loops.of(asker)
                .tell(() -> ring.offerSession(
                        who.label(),
                        who.may(Scope.CONTROL),
                        id,
                        info -> asker.execute(() -> answer(exchange, id, info))));
    }

    private static void answer(Exchange exchange, UUID id, @Nullable SessionInfo info) {
        if (info == null) {
            unknown(exchange);
        } else if (!exchange.ended()) {
            exchange.respond(200, json(exchange.json(), id, info));
        }
    }

    /** Schema {@code SessionInfo} of {@code contracts/openapi/data.yaml}. */
    private static JsonWriter json(JsonWriter json, UUID id, SessionInfo info) {
        json.beginObject()
                .member("session_id", id.toString())
                .member("ttl_ms_remaining", info.ttlMsRemaining())
                .member("turns", info.turns())
                .member("open_tasks", info.openTasks())
                .member("kv_warmth", info.kvWarmth());
        Allowance left = info.allowance();
        if (left != null) {
            if (left.tokensLeft() != Allowance.NOT_LIMITED) {
                json.member("tokens_budget_remaining", left.tokensLeft());
            }
            if (left.timeMsLeft() != Allowance.NOT_LIMITED) {
                json.member("time_budget_remaining_ms", left.timeMsLeft());
            }
            if (left.costNanosLeft() != Allowance.NOT_LIMITED) {
                json.name("cost_budget_remaining").raw(BudgetKind.decimal(left.costNanosLeft()));
            }
        }
        return json.endObject();
    }

    /** {@code DELETE /v1/sessions/{id}}: forgotten first, then each open task is canceled, then the 204. */
    public void delete(Exchange exchange) {
        UUID id = PathIds.uuid(exchange.id());
        if (id == null) {
            unknown(exchange);
            return;
        }
        Identity who = exchange.identity();
        EventLoop asker = exchange.context().channel().eventLoop();
        loops.of(asker)
                .tell(() -> ring.offerEndSession(
                        who.label(), who.may(Scope.CONTROL), id, open -> ended(exchange, asker, open)));
    }

    /** On the scheduler's thread: what it posts comes behind what it said of these tasks before. */
    private static void ended(Exchange exchange, EventLoop asker, @Nullable List<Task> open) {
        if (open == null) {
            asker.execute(() -> unknown(exchange));
            return;
        }
        AtomicInteger unsealed = new AtomicInteger(open.size() + 1);
        Runnable sealed = () -> {
            if (unsealed.decrementAndGet() == 0) {
                asker.execute(() -> {
                    if (!exchange.ended()) {
                        exchange.respondEmpty(204);
                    }
                });
            }
        };
        for (Task task : open) {
            task.stream().requestCancel();
            task.home().mailbox().post(task, () -> cancel(task, sealed));
        }
        sealed.run();
    }

    private static void cancel(Task task, Runnable sealed) {
        boolean begun = false;
        try {
            task.stream().cancel("client", sealed);
            begun = true;
        } finally {
            if (!begun) {
                sealed.run(); // a defect, which ends that task: the others' client is not to wait for it
            }
        }
    }

    private static void unknown(Exchange exchange) {
        if (!exchange.ended()) {
            exchange.respondError(ApiError.of(
                    ErrorCode.NOT_FOUND,
                    "No session of that id: no task of it was admitted, it was not used for a while, or it belongs to"
                            + " another key."));
        }
    }
}
