package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;

/** Why a request head is refused. Owner: the channel's event loop. */
final class HeadFault {
    private ErrorCode code = ErrorCode.BAD_REQUEST;
    private String message = "";

    ErrorCode code() {
        return code;
    }

    String message() {
        return message;
    }

    /** Malformed: 400. Always false, for the caller to return. */
    boolean refuse(String what) {
        return refuse(ErrorCode.BAD_REQUEST, "Malformed HTTP request: " + what + ".");
    }

    /** Any other code. Always false, for the caller to return. */
    boolean refuse(ErrorCode newCode, String newMessage) {
        code = newCode;
        message = newMessage;
        return false;
    }
}
