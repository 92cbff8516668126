package io.llamaorch.orchestratord.llamaworker;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A first look at the model file, so that the common mistakes are named before anything is loaded. */
final class GgufFile {
    private static final int MAGIC_BYTES = 4;

    private GgufFile() {}

    /** Refuses a file that is missing, unreadable, or not a GGUF. */
    static void check(Path file) throws WorkerExit {
        if (!Files.isRegularFile(file)) {
            throw new WorkerExit(ExitCode.MODEL_MISSING, "there is no file " + file);
        }
        byte[] magic;
        try (InputStream in = Files.newInputStream(file)) {
            magic = in.readNBytes(MAGIC_BYTES);
        } catch (IOException e) {
            throw new WorkerExit(ExitCode.MODEL_MISSING, "cannot read " + file + ": " + e.getMessage());
        }
        if (!new String(magic, StandardCharsets.ISO_8859_1).equals("GGUF")) {
            throw new WorkerExit(ExitCode.MODEL_REFUSED, file + " is not a GGUF file: it begins otherwise");
        }
    }
}
