package io.llamaorch.orchestratord.adapters.openai;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.llamaorch.orchestratord.adapters.wire.HttpFailure;
import io.llamaorch.orchestratord.adapters.wire.JsonBody;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a stream of completions means. It is complete with a {@code finish_reason}; the usage may come with it, after it or
 * never, so that the call ends with {@code [DONE]} or the end of the answer. {@code [DONE]} alone is no success: engines
 * send it after an error frame too.
 */
public final class OpenAiReader implements FrameReader {
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    private final String engine;
    private final List<String> secrets;
    private final @Nullable JsonBody withoutUsage;
    private final Runnable usageRefused;
    private @Nullable FinishReason finish;
    private int tokensIn = -1;
    private int tokensOut = -1;
    private boolean sentWithout;

    /**
     * A reader of the answer to {@code prompt}, which must not be echoed.
     *
     * @param engine how it is named in messages
     */
    public OpenAiReader(String engine, String prompt) {
        this(engine, prompt, null, () -> {});
    }

    /**
     * The same for engines that may not know {@code stream_options}.
     *
     * @param withoutUsage body to send where the first was refused; null for none
     * @param usageRefused told where that one was taken
     */
    OpenAiReader(String engine, String prompt, @Nullable JsonBody withoutUsage, Runnable usageRefused) {
        this.engine = engine;
        this.secrets = List.of(prompt);
        this.withoutUsage = withoutUsage;
        this.usageRefused = usageRefused;
    }

    @Override
    public String engine() {
        return engine;
    }

    @Override
    public FrameScanner scanner() {
        return OpenAiScanner.ofThread();
    }

    @Override
    public void read(byte[] bytes, StreamCall call) {
        OpenAiFrame frame = OpenAiFrame.read(bytes);
        if (frame == null) {
            notAnObject(bytes, call);
        } else if (frame.error() != null) {
            call.fail(OpenAiErrors.of(engine, 200, frame.error(), secrets));
        } else {
            call.text(bytes, frame.textFrom(), frame.textTo());
            if (frame.promptTokens() > 0 || frame.completionTokens() > 0) {
                // Zeros on each chunk say nothing; the last figures count.
                tokensIn = frame.promptTokens();
                tokensOut = frame.completionTokens();
            }
            finished(frame.finish(), call);
        }
    }

    private void notAnObject(byte[] bytes, StreamCall call) {
        if (!Arrays.equals(bytes, DONE)) {
            call.fail(new EngineFailure(ErrorCode.INTERNAL, engine + " sent a frame that is not JSON", true));
            return;
        }
        EngineUsage usage = ended(true);
        if (usage == null) {
            call.fail(HttpFailure.RESET.toEngineFailure(engine + " ended its stream without a finish reason"));
        } else {
            call.end(usage);
        }
    }

    private void finished(String word, StreamCall call) {
        switch (word) {
            case "" -> {}
            case "length" -> finish = FinishReason.LENGTH;
            case "abort" ->
                call.fail(HttpFailure.RESET.toEngineFailure(engine + " aborted the decode on its own side"));
            case "error" ->
                call.fail(new EngineFailure(ErrorCode.INTERNAL, engine + " finished the decode with an error", true));
            default -> finish = FinishReason.STOP;
        }
        if (finish != null && sentWithout) {
            usageRefused.run();
        }
    }

    @Override
    public @Nullable EngineUsage ended(boolean orderly) {
        FinishReason reason = finish;
        return reason == null ? null : new EngineUsage(reason, tokensIn, tokensOut, Double.NaN, Double.NaN);
    }

    @Override
    public EngineFailure refusal(int status, byte[] body) {
        return OpenAiErrors.of(engine, status, EngineFault.read(body), secrets);
    }

    @Override
    public @Nullable JsonBody otherBody(int status, byte[] body) {
        if (status != 400 && status != 422) {
            return null;
        }
        sentWithout = withoutUsage != null;
        return withoutUsage;
    }
}
