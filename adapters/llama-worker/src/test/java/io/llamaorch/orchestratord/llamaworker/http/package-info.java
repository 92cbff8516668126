/** Tests of {@code llamaworker.http}. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker.http;

import org.jspecify.annotations.NullMarked;
