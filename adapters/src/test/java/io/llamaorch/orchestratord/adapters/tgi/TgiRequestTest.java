package io.llamaorch.orchestratord.adapters.tgi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.contracts.task.TaskRequest;
import io.llamaorch.orchestratord.contracts.task.TaskRequest.Sampling;
import io.llamaorch.orchestratord.contracts.task.Workload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TgiRequestTest {
    private static final double NONE = Double.NaN;

    private static String body(Sampling sampling) throws IOException {
        TaskRequest request = Requests.completion("hi \ud83d", 7, 42, Workload.COMPLETION, sampling);
        ByteBuf body = new TgiRequest(request, Math.min(4, sampling.stop().size()))
                .write(UnpooledByteBufAllocator.DEFAULT, 64);
        try {
            return body.toString(StandardCharsets.UTF_8);
        } finally {
            body.release();
        }
    }

    private static String parameters(Sampling sampling) throws IOException {
        String body = body(sampling);
        String head = "{\"inputs\":\"hi \ufffd\",\"parameters\":{\"max_new_tokens\":7,\"details\":true,\"seed\":42";
        assertThat(body).startsWith(head).endsWith("}}");
        return body.substring(head.length(), body.length() - 2);
    }

    @Test
    void shouldSendOnlyWhatWasGiven() throws IOException {
        assertThat(parameters(Sampling.DEFAULT)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0|0.5|9|,\"do_sample\":false",
                "NaN|0|-1|,\"do_sample\":false",
                "0.7|NaN|-1|,\"do_sample\":true,\"temperature\":0.7",
                "1|1|0|,\"do_sample\":true,\"temperature\":1.0",
                "NaN|0.9|40|,\"top_p\":0.9,\"top_k\":40"
            })
    void shouldKeepToTheRangesOfTheEngine(double temperature, double topP, int topK, String expected)
            throws IOException {
        assertThat(parameters(new Sampling(temperature, topP, topK, NONE, NONE, List.of(), null, null)))
                .isEqualTo(expected);
    }

    @Test
    void shouldSendPenaltyStopsAndSchema() throws IOException {
        assertThat(parameters(
                        new Sampling(NONE, NONE, -1, NONE, 1.1, List.of("\n", "###"), null, "{\"type\":\"object\"}")))
                .isEqualTo(",\"repetition_penalty\":1.1,\"stop\":[\"\\n\",\"###\"],"
                        + "\"grammar\":{\"type\":\"json\",\"value\":{\"type\":\"object\"}}");
    }

    @Test
    void shouldSendNoMoreStopsThanTheEngineTakes() throws IOException {
        assertThat(parameters(new Sampling(NONE, NONE, -1, NONE, NONE, List.of("a", "b", "c", "d", "e"), null, null)))
                .isEqualTo(",\"stop\":[\"a\",\"b\",\"c\",\"d\"]");
    }
}
