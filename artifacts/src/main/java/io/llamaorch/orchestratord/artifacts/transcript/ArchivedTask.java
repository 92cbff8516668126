package io.llamaorch.orchestratord.artifacts.transcript;

import java.util.UUID;

/**
 * A task that is over and whose transcript is on disk: what has to be known of it without looking there.
 *
 * @param id the client's name for it
 * @param owner whose it is
 * @param requestHigh first 64 bits of the digest of its request
 * @param requestLow the next 64 bits
 * @param poolId where it was admitted to
 * @param endedAtMs wall clock, ms since the epoch
 * @param transcript where its events are
 */
public record ArchivedTask(
        UUID id,
        String owner,
        long requestHigh,
        long requestLow,
        String poolId,
        long endedAtMs,
        TranscriptRef transcript) {}
