/** Tests of {@code adapters.tgi}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.tgi;

import org.jspecify.annotations.NullMarked;
