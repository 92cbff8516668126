/**
 * The ledger of tasks: what was accepted, what was shown of it, how it ended. After a crash it says what is owed to whom.
 *
 * <pre>
 *   event loops ──reserve, admit, expose, end, forget──▶ queue (MPSC, bounded) ──▶ thread "ledger"
 *                                                                                   │ append all, one sync
 *   event loops ◀── acknowledgements, one wake-up a loop and batch ◀────────────────┘
 * </pre>
 *
 * <p>Of a task that is open, its admission is kept, with the request as it came; of one that is over, how it ended; of one
 * that is forgotten, nothing. Where a record of that kind holds up an old segment while the ledger is longer than it may
 * be, it is written again at the head and the old segment removed.
 *
 * <p><b>Owner thread:</b> {@code ledger}, for the log and the state; {@link Ledger} says what others may call. <b>May
 * import:</b> {@code artifacts.disk}, {@code artifacts.segment}, {@code contracts}, JCTools.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.ledger;

import org.jspecify.annotations.NullMarked;
