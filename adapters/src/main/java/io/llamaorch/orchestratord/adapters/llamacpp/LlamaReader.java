package io.llamaorch.orchestratord.adapters.llamacpp;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.adapters.wire.FrameReader;
import io.llamaorch.orchestratord.adapters.wire.FrameScanner;
import io.llamaorch.orchestratord.adapters.wire.StreamCall;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.contracts.task.FinishReason;
import java.util.List;

/** What a llama-server's native stream means; it is complete with {@code "stop":true}. */
final class LlamaReader implements FrameReader {
    private final List<String> secrets;

    /** A reader of the answer to {@code prompt}, which must not be echoed. */
    LlamaReader(String prompt) {
        this.secrets = List.of(prompt);
    }

    @Override
    public String engine() {
        return LlamaErrors.ENGINE;
    }

    @Override
    public FrameScanner scanner() {
        return LlamaScanner.ofThread();
    }

    @Override
    public void read(byte[] bytes, StreamCall call) {
        LlamaFrame frame = LlamaFrame.read(bytes);
        switch (frame.kind()) {
            case PARTIAL -> call.text(bytes, frame.textFrom(), frame.textTo());
            case LAST -> {
                call.text(bytes, frame.textFrom(), frame.textTo());
                LlamaFrame.Usage usage = frame.usage();
                if (usage != null) {
                    call.end(usage(usage));
                }
            }
            case ERROR -> {
                EngineFault error = frame.error();
                call.fail(LlamaErrors.of(200, error == null ? EngineFault.WORDLESS : error, secrets));
            }
            case UNREADABLE -> {
                if (!isDone(bytes)) {
                    call.fail(new EngineFailure(
                            ErrorCode.INTERNAL, LlamaErrors.ENGINE + " sent a frame that is not JSON", true));
                }
            }
            default -> {}
        }
    }

    @Override
    public void readErrorField(byte[] value, StreamCall call) {
        call.fail(LlamaErrors.of(200, EngineFault.read(value), secrets));
    }

    @Override
    public EngineFailure refusal(int status, byte[] body) {
        return LlamaErrors.of(status, EngineFault.read(body), secrets);
    }

    /** Only the OpenAI routes send it, but a proxy may well do so here. */
    private static boolean isDone(byte[] bytes) {
        return bytes.length == 6 && bytes[0] == '[' && bytes[1] == 'D' && bytes[5] == ']';
    }

    private static EngineUsage usage(LlamaFrame.Usage said) {
        FinishReason reason = said.stopType().equals("limit") ? FinishReason.LENGTH : FinishReason.STOP;
        return new EngineUsage(
                reason, said.tokensEvaluated(), said.tokensPredicted(), said.promptMs(), said.predictedMs());
    }
}
