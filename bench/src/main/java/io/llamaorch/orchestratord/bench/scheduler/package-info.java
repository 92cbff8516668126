/** Micro-benchmarks of the scheduler's core. Run one thread each. */
@NullMarked
package io.llamaorch.orchestratord.bench.scheduler;

import org.jspecify.annotations.NullMarked;
