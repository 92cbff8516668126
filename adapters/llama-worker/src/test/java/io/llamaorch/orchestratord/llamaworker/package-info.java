/** Tests of the worker as a process. */
@NullMarked
package io.llamaorch.orchestratord.llamaworker;

import org.jspecify.annotations.NullMarked;
