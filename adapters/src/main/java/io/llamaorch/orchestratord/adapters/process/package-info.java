/**
 * Engines as processes of this daemon: started from a template, watched, restarted, and never left behind.
 *
 * <pre>
 *   EngineSupervisor  one state machine a replica; port, restart policy, blue-green     thread engine-supervisor
 *     EngineProcess   one start of one engine: output, exit, stop                       thread engine-watch-TOKEN
 *       EngineGuard   a shell between daemon and engine, holding a pipe from the daemon (a process)
 *         engine      in a session of its own, with whatever it starts
 * </pre>
 *
 * <p>Rules: {@code contracts/specs/supervision.md}. <b>Threads:</b> nothing here runs on an event loop or waits for one;
 * public methods return at once, results come by future and listener. <b>Needs:</b> Linux with {@code /proc} and
 * {@code /bin/sh}. <b>May import:</b> {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.adapters.process;

import org.jspecify.annotations.NullMarked;
