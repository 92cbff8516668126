/**
 * A task's event stream, from the engine's tokens to its readers' sockets.
 *
 * <pre>
 *   engine's loop                      stream's loop (home)                        reader's loop
 *   EngineLeg ── TokenQueue (SPSC) ──▶ TaskStream ── append ──▶ FrameLog
 *                                          └─ pump ──▶ StreamReader ── chunk ──▶ ReaderConnection ──▶ socket
 * </pre>
 *
 * <p>The three loops are one where possible, and the path is the same where they are not. A frame is built once, as the
 * bytes of its HTTP chunk, and every reader gets those bytes. Readers read from the log at their own pace: none of them
 * slows the engine or another reader.
 *
 * <p><b>Owner thread:</b> each class names its own. <b>May import:</b> {@code contracts}, {@code adapters}, Netty
 * buffers and channels, JCTools.
 */
@NullMarked
package io.llamaorch.orchestratord.server.sse;

import org.jspecify.annotations.NullMarked;
