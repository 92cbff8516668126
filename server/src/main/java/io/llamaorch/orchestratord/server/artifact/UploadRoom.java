package io.llamaorch.orchestratord.server.artifact;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.http.BodyPolicy;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The memory that all uploads may take together while they come in and until they are answered. Any thread. */
final class UploadRoom implements BodyPolicy.Room {
    private final long bytesMax;
    private final LongSupplier waitMs;
    private final AtomicLong taken = new AtomicLong();

    /**
     * Room for so many bytes.
     *
     * @param waitMs when to come back, ms, asked where there is none
     */
    UploadRoom(long bytesMax, LongSupplier waitMs) {
        this.bytesMax = bytesMax;
        this.waitMs = waitMs;
    }

    @Override
    public @Nullable ApiError take(int bytes) {
        if (taken.addAndGet(bytes) <= bytesMax) {
            return null;
        }
        taken.addAndGet(-bytes);
        long ms = waitMs.getAsLong();
        return ApiError.of(
                        ErrorCode.ADMISSION_REJECT,
                        "Uploads under way take all of their " + bytesMax + " bytes; come back in " + ms + " ms.")
                .retryAfterMs(ms)
                .by("artifact_uploads");
    }

    @Override
    public void giveBack(int bytes) {
        taken.addAndGet(-bytes);
    }
}
