/** Tests of {@code adapters}. */
@NullMarked
package io.llamaorch.orchestratord.adapters;

import org.jspecify.annotations.NullMarked;
