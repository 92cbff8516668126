package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;

/** Why an exchange with an engine broke below the engine's own words. Bounded: safe as a metric label. */
public enum HttpFailure {
    /** No connection: refused, unreachable, no such host. */
    CONNECT(ErrorCode.POOL_UNAVAILABLE),
    /** No connection within the limit. */
    CONNECT_TIMEOUT(ErrorCode.POOL_UNAVAILABLE),
    /** Connected, and no byte of the answer's body within the limit. */
    FIRST_BYTE_TIMEOUT(ErrorCode.DECODE_TIMEOUT),
    /** The answer stopped for longer than the limit. */
    IDLE_TIMEOUT(ErrorCode.DECODE_TIMEOUT),
    /** The connection ended before the answer did. */
    RESET(ErrorCode.WORKER_RESET),
    /** The answer is not HTTP. */
    PROTOCOL(ErrorCode.INTERNAL);

    private final ErrorCode code;

    HttpFailure(ErrorCode code) {
        this.code = code;
    }

    /** What clients are told. */
    public ErrorCode code() {
        return code;
    }

    /** The failure as the port carries it. */
    public EngineFailure toEngineFailure(String what) {
        return new EngineFailure(code, what, code.retriable());
    }
}
