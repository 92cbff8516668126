/** Tests of {@code adapters.process}, with small shell scripts as engines. */
@NullMarked
package io.llamaorch.orchestratord.adapters.process;

import org.jspecify.annotations.NullMarked;
