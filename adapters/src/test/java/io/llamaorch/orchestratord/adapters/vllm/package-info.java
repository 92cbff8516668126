/** Tests of {@code adapters.vllm}. */
@NullMarked
package io.llamaorch.orchestratord.adapters.vllm;

import org.jspecify.annotations.NullMarked;
