package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.wire.EngineFault;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TgiErrorsTest {
    @ParameterizedTest
    @CsvSource({
        "200,overloaded,Model is overloaded,ADMISSION_REJECT",
        "200,validation,Input validation error: x,INVALID_PARAMS",
        "200,template_error,x,INVALID_PARAMS",
        "200,batch size exceeded,x,INVALID_PARAMS",
        "200,generation,Request failed during generation: x,INTERNAL",
        "200,generation,Request failed during generation: CUDA out of memory,REPLICA_EXHAUSTED",
        "200,incomplete_generation,x,WORKER_RESET",
        "200,incomplete_generation_stream,x,WORKER_RESET",
        "200,stream_serialization_error,x,INTERNAL",
        "200,something_new,x,INTERNAL",
        "429,overloaded,Model is overloaded,ADMISSION_REJECT",
        "422,validation,x,INVALID_PARAMS",
        "424,generation,x,INTERNAL",
        "503,healthcheck,unhealthy,POOL_UNREADY"
    })
    void shouldMapTheTypeWhateverTheStatus(int status, String type, String message, ErrorCode code) {
        EngineFailure failure = TgiErrors.of(status, new EngineFault(0, type, message), List.of());
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.retriable()).isEqualTo(code.retriable());
        assertThat(failure.message()).endsWith(message);
    }

    @ParameterizedTest
    @CsvSource({
        "400,INVALID_PARAMS",
        "401,POOL_UNAVAILABLE",
        "404,INTERNAL",
        "413,INVALID_PARAMS",
        "422,INVALID_PARAMS",
        "429,ADMISSION_REJECT",
        "500,INTERNAL",
        "503,POOL_UNREADY"
    })
    void shouldMapTheStatusWhenThereIsNoType(int status, ErrorCode code) {
        assertThat(TgiErrors.of(status, EngineFault.WORDLESS, List.of()).code()).isEqualTo(code);
    }
}
