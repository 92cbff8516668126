/**
 * The ledger within the daemon: where it lies, how it is configured, what is counted and logged of it. What tasks put on
 * record is {@code server.task}'s.
 *
 * <p><b>Owner threads:</b> the one that starts and stops the daemon; signs come on the thread {@code ledger}.
 */
@NullMarked
package io.llamaorch.orchestratord.server.ledger;

import org.jspecify.annotations.NullMarked;
