package io.llamaorch.orchestratord.server.ledger;

import io.llamaorch.orchestratord.artifacts.ledger.LedgerEvents;
import io.llamaorch.orchestratord.server.log.EventLog;
import io.llamaorch.orchestratord.server.metrics.Metrics;
import java.util.concurrent.TimeUnit;

/** What happens in the ledger, as metrics and lines of the log. On the ledger's thread. */
final class LedgerSigns implements LedgerEvents {
    private static final long REFUSED_LINE_NS = TimeUnit.MINUTES.toNanos(1);

    private final Metrics metrics;
    private final EventLog log;
    private boolean failed;
    private long refusedAtNs = System.nanoTime() - REFUSED_LINE_NS;

    LedgerSigns(Metrics metrics, EventLog log) {
        this.metrics = metrics;
        this.log = log;
    }

    @Override
    public void onCommitted(int records, long bytes, long tookNs) {
        metrics.ledgerCommitted(records, bytes, tookNs / 1e6);
    }

    /** A disk that stays full is counted each time, and told once a minute. */
    @Override
    public void onRefused(Throwable cause) {
        metrics.ledgerFailures("refused").inc();
        long nowNs = System.nanoTime();
        if (nowNs - refusedAtNs >= REFUSED_LINE_NS) {
            refusedAtNs = nowNs;
            log.ledgerRefused(cause);
        }
    }

    @Override
    public void onFailed(Throwable cause) {
        metrics.ledgerFailures("failed").inc();
        if (!failed) {
            failed = true;
            log.ledgerFailed(cause);
        }
    }

    @Override
    public void onDefect(Throwable defect) {
        log.defect("ledger", null, defect);
    }
}
