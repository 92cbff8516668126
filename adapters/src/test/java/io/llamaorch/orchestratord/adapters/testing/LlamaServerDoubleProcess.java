package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;

/** A llama-server's double in a process of its own. */
public final class LlamaServerDoubleProcess extends EngineDoubleProcess {
    private LlamaServerDoubleProcess(Process process, int port) {
        super(process, port);
    }

    /** Starts one; {@code args} as {@link EngineDouble} reads them. */
    public static LlamaServerDoubleProcess start(String... args) throws IOException {
        Process process = launch(args);
        return new LlamaServerDoubleProcess(process, port(process));
    }
}
