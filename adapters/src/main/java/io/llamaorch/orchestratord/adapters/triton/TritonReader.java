package io.llamaorch.orchestratord.adapters.triton;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.llamaorch.orchestratord.adapters.wire.StopSink;
import io.llamaorch.orchestratord.adapters.wire.StopStrings;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * What a Triton stream means. Nothing on the wire ends it but its end: the decode is complete where the chunked body ended
 * with its zero chunk after at least one frame and no error. A model that gives a finish reason ends it with that frame. The
 * reason is inferred otherwise: as many frames as tokens were asked for is {@code length}, fewer is {@code stop}.
 *
 * <p>The first frame goes the slow path, for the count of the prompt's tokens that each frame repeats.
 */
final class TritonReader implements FrameReader {
    private final Collection<String> secrets;
    private final TritonText text;
    private final int maxTokens;
    private final Runnable onSuspicion;
    private final @Nullable StopSink stops;
    private boolean suspected;
    private @Nullable StreamCall call;
    private int frames;
    private int inputTokens = -1;

    /**
     * A reader of one stream.
     *
     * @param mode what a frame's text is
     * @param maxTokens tokens asked for
     * @param secrets what failures must not echo
     * @param stops what stands before the sink where there are stop strings
     * @param onSuspicion told once where text taken for pieces looks cumulative
     */
    TritonReader(
            TritonText.Mode mode,
            int maxTokens,
            Collection<String> secrets,
            @Nullable StopSink stops,
            Runnable onSuspicion) {
        this.stops = stops;
        this.onSuspicion = onSuspicion;
        this.text = new TritonText(mode);
        this.maxTokens = maxTokens;
        this.secrets = secrets;
    }

    @Override
    public String engine() {
        return TritonErrors.ENGINE;
    }

    @Override
    public FrameScanner scanner() {
        return TritonScanner.ofThread();
    }

    @Override
    public int textFrom(FrameScanner found) {
        byte[] bytes = found.bytes();
        int to = found.textTo();
        if (frames == 0 || text.settledEnd(bytes, found.textFrom(), to) != to) {
            return -1;
        }
        int begin = text.take(bytes, found.textFrom(), to, to);
        if (begin >= 0) {
            frames++;
        }
        if (!suspected && text.isLikelyCumulative()) {
            suspected = true;
            onSuspicion.run();
        }
        return begin;
    }

    @Override
    public void read(byte[] bytes, StreamCall itself) {
        call = itself;
        TritonFrame frame = TritonFrame.read(bytes);
        switch (frame.kind()) {
            case DATA -> data(bytes, frame, itself);
            case ERROR -> itself.fail(TritonErrors.of(200, EngineFault.read(bytes), secrets));
            default -> itself.fail(new EngineFailure(ErrorCode.INTERNAL, "triton sent a frame that is not JSON", true));
        }
    }

    private void data(byte[] bytes, TritonFrame frame, StreamCall itself) {
        frames++;
        inputTokens = frame.inputTokens() >= 0 ? frame.inputTokens() : inputTokens;
        boolean last = !frame.finishReason().isEmpty();
        if (frame.textFrom() >= 0) {
            int to = frame.textTo();
            int until = last ? to : text.settledEnd(bytes, frame.textFrom(), to);
            int begin = text.take(bytes, frame.textFrom(), until, to);
            if (begin >= 0) {
                itself.text(bytes, begin, until);
            } else if (last) {
                takenBack(bytes, frame);
            } else {
                itself.fail(new EngineFailure(
                        ErrorCode.INTERNAL, "triton sent text that does not go on from what it sent before", true));
                return;
            }
        }
        if (last) {
            finish(frame.finishReason(), itself);
        }
    }

    /** A last text that is shorter was cut at its stop string. */
    private void takenBack(byte[] bytes, TritonFrame frame) {
        if (stops != null) {
            stops.endsAt(StopStrings.meaningBytes(bytes, frame.textFrom(), frame.textTo()));
        }
    }

    private void finish(String reason, StreamCall itself) {
        switch (reason) {
            case "timeout" ->
                itself.fail(new EngineFailure(
                        ErrorCode.DECODE_TIMEOUT,
                        "triton ended the decode at a limit of its own",
                        ErrorCode.DECODE_TIMEOUT.retriable()));
            case "cancelled" ->
                itself.fail(new EngineFailure(
                        ErrorCode.WORKER_RESET, "triton canceled the decode", ErrorCode.WORKER_RESET.retriable()));
            default -> itself.end(usage(reason.equals("length") ? FinishReason.LENGTH : FinishReason.STOP));
        }
    }

    @Override
    public @Nullable EngineUsage ended(boolean orderly) {
        StreamCall itself = call;
        if (!orderly || itself == null || frames == 0) {
            return null;
        }
        for (int i = 0; i < text.heldCount(); i++) {
            itself.text(TritonText.REPLACEMENT, 0, TritonText.REPLACEMENT.length);
        }
        return usage(frames >= maxTokens ? FinishReason.LENGTH : FinishReason.STOP);
    }

    @Override
    public EngineFailure refusal(int status, byte[] body) {
        return TritonErrors.of(status, EngineFault.read(body), secrets);
    }

    private EngineUsage usage(FinishReason reason) {
        return new EngineUsage(reason, inputTokens, -1, Double.NaN, Double.NaN);
    }
}
