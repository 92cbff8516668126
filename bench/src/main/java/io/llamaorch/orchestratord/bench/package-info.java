/**
 * Measures the daemon beside what people would use instead, and beside the engine alone.
 *
 * <p>Flow: {@code report.BenchReport} starts {@code engine.EngineSimulator}, the daemon, nginx and HAProxy as processes,
 * and runs {@code load.LoadGenerator} against each of them in turn. What a process uses is read from {@code /proc}, so
 * the harness runs on Linux only.
 */
@NullMarked
package io.llamaorch.orchestratord.bench;

import org.jspecify.annotations.NullMarked;
