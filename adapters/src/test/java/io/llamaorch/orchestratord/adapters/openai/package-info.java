/** Tests of {@code adapters.openai}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.openai;

import org.jspecify.annotations.NullMarked;
