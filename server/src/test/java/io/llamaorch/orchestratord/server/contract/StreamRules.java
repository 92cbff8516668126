package io.llamaorch.orchestratord.server.contract;

import io.llamaorch.orchestratord.server.contract.SseStream.Frame;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The rules of {@code contracts/specs/streams.md} that one reader can check: ids, order, and figures that must agree.
 * Fed frame by frame; for one thread.
 */
final class StreamRules {

    private final boolean fromStart;
    private final List<String> problems = new ArrayList<>();
    private long nextId;
    private long nextToken = -1;
    private int tokens;
    private boolean any;
    private boolean started;
    private @Nullable String terminal;

    /** Rules for a reader that has the ids up to {@code lastEventId}. */
    StreamRules(long lastEventId) {
        this.nextId = lastEventId + 1;
        this.fromStart = lastEventId == 0;
    }

    /** One event, in order, its data valid by its schema. */
    void accept(Frame frame, JsonNode data) {
        any = true;
        if (frame.id() != nextId) {
            problems.add("STR-3: id " + frame.id() + " where " + nextId + " is due");
        }
        nextId = frame.id() + 1;
        if (terminal != null) {
            problems.add("STR-12: " + frame.event() + " after " + terminal);
            return;
        }
        switch (frame.event()) {
            case "started" -> onStarted(frame);
            case "token" -> onToken(frame, data.path("i").asLong());
            case "metrics" -> onMetrics(data.path("tokens_out").asLong());
            case "end" -> onEnd(data);
            case "error" -> terminal = "error";
            default -> problems.add("STR-10: unknown event " + frame.event());
        }
    }

    private void onStarted(Frame frame) {
        if (frame.id() != 1) {
            problems.add("STR-11: started has id " + frame.id() + "; it is always the first");
        }
        started = true;
    }

    private void onToken(Frame frame, long index) {
        needStarted("token");
        if (nextToken < 0) {
            nextToken = fromStart ? 0 : index;
            if (index > frame.id() - 2) {
                problems.add("STR-13: token " + index + " cannot have id " + frame.id());
            }
        }
        if (index != nextToken) {
            problems.add("STR-13: token " + index + " where " + nextToken + " is due");
        }
        nextToken = index + 1;
        tokens++;
    }

    private void onMetrics(long tokensOut) {
        needStarted("metrics");
        if (fromStart && tokensOut != tokens) {
            problems.add("STR-15: metrics says tokens_out " + tokensOut + " after " + tokens + " token events");
        }
    }

    private void onEnd(JsonNode data) {
        terminal = "end";
        boolean canceled = data.has("canceled");
        if (!canceled) {
            needStarted("end");
        }
        if (data.path("decode_ms").asLong() != data.path("decode_time_ms").asLong()) {
            problems.add("STR-16: decode_ms and decode_time_ms differ");
        }
        if (fromStart && canceled && data.path("tokens_out").asLong() != tokens) {
            problems.add("STR-33: tokens_out " + data.path("tokens_out") + " after " + tokens + " token events");
        }
        if (fromStart && (tokens > 0) != data.has("first_token_ms")) {
            problems.add("STR-16: first_token_ms stands exactly where a token event came");
        }
    }

    private void needStarted(String event) {
        if (fromStart && !started) {
            problems.add("STR-11: " + event + " before started");
        }
    }

    /** The connection's body is over. */
    List<String> finish(boolean complete) {
        boolean nothingLeft = !fromStart && !any;
        if (complete && terminal == null && !nothingLeft) {
            problems.add("STR-12: the body is complete and holds no terminal event");
        }
        return problems;
    }
}
