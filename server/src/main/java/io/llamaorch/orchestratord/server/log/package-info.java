/**
 * The log: one event a line on standard error, written by one thread of its own, never waited for.
 *
 * <pre>
 *   any thread   EventLog.xyz(...)   builds an EventMessage, offers it to the ring
 *   ring full    the event is dropped and counted ({@link io.llamaorch.orchestratord.server.log.Logging#dropped})
 *   log thread   EventLayout -> StderrAppender, one write for all that gathered
 * </pre>
 *
 * <p>A prompt or a key has no way in: events are built from typed fields, and none of them holds one.
 *
 * <p><b>May import:</b> {@code contracts}, {@code scheduler.core} values, {@code server.config}, log4j, JCTools, Netty's event
 * loop.
 */
@NullMarked
package io.llamaorch.orchestratord.server.log;

import org.jspecify.annotations.NullMarked;
