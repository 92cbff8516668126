package io.llamaorch.orchestratord.adapters.tgi;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.util.Collection;

/**
 * What TGI's stream means. It ends with the frame whose {@code generated_text} is there; that frame brings a token as the
 * others do. The text is that of the tokens, special ones apart: {@code generated_text} is cut at the stop string, which the
 * tokens are not.
 *
 * @param secrets what failures must not echo
 */
record TgiReader(Collection<String> secrets) implements FrameReader {

    @Override
    public String engine() {
        return TgiErrors.ENGINE;
    }

    @Override
    public FrameScanner scanner() {
        return TgiScanner.ofThread();
    }

    @Override
    public void read(byte[] bytes, StreamCall call) {
        TgiFrame frame = TgiFrame.read(bytes);
        switch (frame.kind()) {
            case PARTIAL -> call.text(bytes, frame.textFrom(), frame.textTo());
            case LAST -> {
                call.text(bytes, frame.textFrom(), frame.textTo());
                TgiFrame.Usage usage = frame.usage();
                if (usage != null) {
                    call.end(toUsage(usage));
                }
            }
            case ERROR -> call.fail(TgiErrors.of(200, EngineFault.read(bytes), secrets));
            case UNREADABLE ->
                call.fail(new EngineFailure(ErrorCode.INTERNAL, "tgi sent a frame that is not JSON", true));
            default -> {}
        }
    }

    @Override
    public EngineFailure refusal(int status, byte[] body) {
        return TgiErrors.of(status, EngineFault.read(body), secrets);
    }

    private static EngineUsage toUsage(TgiFrame.Usage usage) {
        FinishReason reason = usage.finishReason().equals("length") ? FinishReason.LENGTH : FinishReason.STOP;
        return new EngineUsage(reason, usage.inputLength(), usage.generatedTokens(), Double.NaN, Double.NaN);
    }
}
