package io.llamaorch.orchestratord.scheduler.core;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One line of the ledger: what one key, or one session of it, has used and reserved of one kind.
 *
 * @param owner as in {@link TaskSpec#owner}
 * @param sessionId null for the key's own budget
 * @param kind what is counted
 * @param used settled, in the window that is open
 * @param reserved for tasks that are open
 * @param windowRemainingNs until {@code used} no longer counts, ns; 0 where it does for ever
 */
public record BudgetBalance(
        String owner, @Nullable UUID sessionId, BudgetKind kind, long used, long reserved, long windowRemainingNs) {}
