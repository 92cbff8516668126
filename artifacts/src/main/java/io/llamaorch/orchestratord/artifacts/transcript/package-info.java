/**
 * The event streams of tasks on disk: written part by part and closed by a record that describes them, read by position.
 *
 * <pre>
 *   part      task 16, id of the first event that begins in it 4 (0: it begins inside of one), bytes of events
 *   closing   see {@link io.llamaorch.orchestratord.artifacts.transcript.Transcript}
 * </pre>
 *
 * <p>Content of a transcript is {@code text/event-stream}: a comment line with what is known of the task as JSON, an empty
 * line, then the task's events byte for byte. Its id is the SHA-256 of that.
 *
 * <p><b>Threads:</b> one that writes, removes and keeps the index ({@code transcript-writer}); a few that read ({@code
 * transcripts-0} …). Nobody who asks waits. <b>May import:</b> {@code artifacts.disk}, {@code artifacts.segment}, {@code
 * artifacts.store} for its digests.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.transcript;

import org.jspecify.annotations.NullMarked;
