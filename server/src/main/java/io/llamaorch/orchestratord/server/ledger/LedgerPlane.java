package io.llamaorch.orchestratord.server.ledger;

import io.llamaorch.orchestratord.artifacts.disk.Disk;
import io.llamaorch.orchestratord.artifacts.disk.FolderRefused;
import io.llamaorch.orchestratord.artifacts.ledger.Ledger;
import io.llamaorch.orchestratord.artifacts.ledger.LedgerSettings;
import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.GaugeSource;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * The ledger in {@code state_dir/ledger}, or none where durability is off. {@link #open} and {@link #close} block: on the
 * thread that starts and stops the daemon.
 */
public final class LedgerPlane implements AutoCloseable {
    private final @Nullable Ledger ledger;

    private LedgerPlane(@Nullable Ledger ledger) {
        this.ledger = ledger;
    }

    /**
     * Opens it; {@code state_dir} is in use by this daemon already.
     *
     * @throws FolderRefused where it cannot or must not be used
     */
    public static LedgerPlane open(Config config, Disk disk, Metrics metrics, EventLog log) throws FolderRefused {
        if (config.durability() == Config.Durability.OFF) {
            return new LedgerPlane(null);
        }
        SecureRandom random = new SecureRandom();
        Ledger ledger = Ledger.open(
                disk,
                config.stateDir().resolve("ledger"),
                "state_dir",
                settings(config),
                random::nextLong,
                new LedgerSigns(metrics, log));
        metrics.addSource(sink -> {
            sink.gauge(GaugeSource.Family.LEDGER_BYTES, (double) ledger.bytes());
            sink.gauge(GaugeSource.Family.LEDGER_SEGMENTS, ledger.segments());
            sink.gauge(GaugeSource.Family.LEDGER_PENDING, ledger.waiting());
            sink.gauge(GaugeSource.Family.LEDGER_FAILED, ledger.failed() ? 1 : 0);
        });
        return new LedgerPlane(ledger);
    }

    private static LedgerSettings settings(Config config) {
        Config.Ledger keys = config.ledger();
        return new LedgerSettings(
                config.durability() == Config.Durability.SYNC,
                keys.syncPeriodMs(),
                keys.queue(),
                keys.queueBytes(),
                keys.segmentBytes(),
                keys.maxBytes(),
                config.streams().retainedTasks()
                        + (config.transcripts().enabled() ? config.transcripts().maxCount() : 0));
    }

    /** The ledger; null where there is none. */
    public @Nullable Ledger ledger() {
        return ledger;
    }

    /** Any thread: why no task can be accepted; null where one can. */
    public @Nullable String failure() {
        return ledger == null ? null : ledger.failure();
    }

    /** Writes and synchronises what was handed over. */
    @Override
    public void close() {
        if (ledger != null) {
            ledger.close();
        }
    }
}
