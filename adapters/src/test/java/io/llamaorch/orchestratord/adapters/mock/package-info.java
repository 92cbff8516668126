/** Tests of {@code adapters.mock}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.mock;

import org.jspecify.annotations.NullMarked;
