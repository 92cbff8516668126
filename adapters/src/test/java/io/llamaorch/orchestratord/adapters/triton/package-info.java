/** Tests of {@code adapters.triton}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.triton;

import org.jspecify.annotations.NullMarked;
