/** Tests of {@code adapters.gpu}. They need a C compiler for the double of NVML, and no GPU. */
@NullMarked
package io.llamaorch.orchestratord.adapters.gpu;

import org.jspecify.annotations.NullMarked;
