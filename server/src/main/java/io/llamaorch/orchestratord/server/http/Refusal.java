package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that were not a request, or did not come in time: the user event by which {@link RequestGate} tells
 * {@link HttpConnection} to answer and close.
 *
 * @param code which error
 * @param message what was wrong
 * @param correlationId the id that the client sent before the fault, where it was sane
 */
record Refusal(ErrorCode code, String message, @Nullable String correlationId) {}
