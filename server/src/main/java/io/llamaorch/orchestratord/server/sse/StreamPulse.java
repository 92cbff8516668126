package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.scheduler.core.Admission;
import io.llamaorch.orchestratord.scheduler.core.Allowance;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a stream says by the clock: where a queued task stands, metrics frames while it decodes, and a comment where it
 * was silent for a heartbeat period. <b>Owner thread:</b> the stream's loop.
 */
final class StreamPulse {
    private final TaskStream stream;
    private final ReaderSet readers;
    private boolean asked;
    private long lastMetricsAtNs;
    private long lastCommentAtNs;

    StreamPulse(TaskStream stream, ReaderSet readers) {
        this.stream = stream;
        this.readers = readers;
    }

    /** Something was just sent that shows life: the next comment counts from here. */
    void restart() {
        lastCommentAtNs = System.nanoTime();
    }

    /** About once a second until the stream ends. */
    void tick(long nowNs) {
        StreamSettings settings = stream.home().settings();
        StreamEvents events = stream.home().events();
        if (stream.firstTokenAtNs() != 0) {
            if (nowNs - lastMetricsAtNs >= TimeUnit.MILLISECONDS.toNanos(settings.metricsPeriodMs())) {
                lastMetricsAtNs = nowNs;
                asked = true;
                events.progress(stream);
            }
            // Metrics frames are a sign of life too, but can be far apart, or dropped.
            if (isSilent(nowNs, Math.max(lastCommentAtNs, lastMetricsAtNs))) {
                heartbeat(nowNs, "keep-alive");
            }
        } else if (isSilent(nowNs, lastCommentAtNs)) {
            if (stream.dispatch() == null) {
                lastCommentAtNs = nowNs;
                asked = true;
                events.askPosition(stream);
            } else {
                heartbeat(nowNs, stream.log().events() == 0 ? "waiting" : "keep-alive");
            }
        }
    }

    /** The scheduler said where the task stands; it may have been somebody else who asked. */
    void onAnswered(Admission now) {
        if (!asked) {
            return;
        }
        asked = false;
        if (stream.dispatch() == null) {
            comment(StreamJson.queuedComment(now));
        } else if (stream.firstTokenAtNs() != 0) {
            metrics(now.queueDepth(), now.onTimeProbability(), now.allowance());
            readers.pump();
        }
    }

    /** Adds a metrics frame to the log; under pressure for memory none. */
    void metrics(long queueDepth, double onTimeProbability, @Nullable Allowance allowance) {
        lastMetricsAtNs = System.nanoTime();
        boolean room = !stream.home().arena().nearlyFull();
        if (!room || !stream.append("metrics", StreamJson.metrics(stream, queueDepth, onTimeProbability, allowance))) {
            stream.home().events().metricsFrameDropped(stream);
        }
    }

    private boolean isSilent(long nowNs, long sinceNs) {
        return nowNs - sinceNs
                >= TimeUnit.MILLISECONDS.toNanos(stream.home().settings().heartbeatMs());
    }

    private void heartbeat(long nowNs, String text) {
        lastCommentAtNs = nowNs;
        comment(text);
    }

    private void comment(String text) {
        FrameWriter frames = stream.home().frames();
        frames.comment(text);
        readers.comment(frames);
    }
}
