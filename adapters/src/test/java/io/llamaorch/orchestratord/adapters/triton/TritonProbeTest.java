package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineLoad;
import io.llamaorch.orchestratord.adapters.ReplicaStatus;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TritonProbeTest {
    @Test
    void shouldTellThePendingRequestsOfItsOwnModelWhenTheBackendTellsNothing() {
        String metrics =
                """
                nv_inference_pending_request_count{model="ensemble_2",version="1"} 9
                nv_inference_pending_request_count{model="ensemble",version="1"} 4
                nv_inference_pending_request_count{model="ensemble",version="2"} 1
                nv_inference_count{model="ensemble",version="1"} 77
                """;
        assertThat(TritonProbe.ready("v", "ensemble", metrics.getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(ReplicaStatus.ready("v", 0, 0, new EngineLoad(-1, 5, Double.NaN)));
    }
}
