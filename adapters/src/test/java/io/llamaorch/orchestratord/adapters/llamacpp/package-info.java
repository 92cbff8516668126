/** Tests of {@code adapters.llamacpp}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.llamacpp;

import org.jspecify.annotations.NullMarked;
