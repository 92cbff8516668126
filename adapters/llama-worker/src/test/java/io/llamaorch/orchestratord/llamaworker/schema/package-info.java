/** Tests of {@code llamaworker.schema}. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.schema;

import org.jspecify.annotations.NullMarked;
