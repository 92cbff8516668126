package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TritonErrorsTest {
    @ParameterizedTest
    @CsvSource({
        "200,Exceeds maximum queue size,ADMISSION_REJECT",
        "503,Exceeds maximum queue size,ADMISSION_REJECT",
        "503,Request timeout expired,DECODE_TIMEOUT",
        "503,server exiting,POOL_UNREADY",
        "503,'',POOL_UNREADY",
        "400,Request for unknown model: 'm' is not found,POOL_UNREADY",
        "400,Model version not ready,POOL_UNREADY",
        "404,Request for unknown model: 'm' has no available versions,POOL_UNREADY",
        "404,Not Found,INTERNAL",
        "405,Method Not Allowed,INTERNAL",
        "400,unexpected shape for input 'top_k',INVALID_PARAMS",
        "501,unsupported,INVALID_PARAMS",
        "400,Request cancelled by client,WORKER_RESET",
        "200,Request cancelled,WORKER_RESET",
        "403,This API is restricted,POOL_UNAVAILABLE",
        "500,backend failure,INTERNAL",
        "500,CUDA out of memory,REPLICA_EXHAUSTED",
        "200,something else,INTERNAL"
    })
    void shouldMapWordsBeforeStatus(int status, String message, ErrorCode code) {
        EngineFailure failure = TritonErrors.of(status, new EngineFault(0, "", message), List.of());
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.retriable()).isEqualTo(code.retriable());
        assertThat(failure.message()).endsWith(message);
    }
}
