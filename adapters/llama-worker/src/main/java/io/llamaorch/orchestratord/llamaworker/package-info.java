/**
 * A worker process that serves one GGUF file with llama.cpp on the CPU and speaks llama-server's wire.
 *
 * <pre>
 *   Main ── WorkerServer (Netty, 503) ── NativeLibrary, LlamaModel ── DecodeLoop ── WorkerServer.serve
 * </pre>
 *
 * <p>Never on the daemon's class path: an error in C++ ends the process that it happens in. Imports
 * nothing of the daemon's.
 */
@NullMarked
package io.llamaorch.orchestratord.llamaworker;

import org.jspecify.annotations.NullMarked;
