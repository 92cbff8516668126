package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HttpRequestsTest {
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private static String post(@Nullable String traceparent) {
        EngineTarget target = EngineTarget.of(
                "p", "r0", URI.create("http://engine:9901/base/"), EngineTimeouts.of(1_000, 1_000, 1_000));
        ByteBuf request = HttpRequests.post(
                UnpooledByteBufAllocator.DEFAULT,
                target,
                "/completion",
                Unpooled.copiedBuffer("{}", StandardCharsets.US_ASCII),
                traceparent,
                true);
        try {
            return request.toString(StandardCharsets.US_ASCII);
        } finally {
            request.release();
        }
    }

    @Test
    void shouldPassTheTraceContextOn() {
        assertThat(post(TRACE))
                .startsWith("POST /base/completion HTTP/1.1\r\nHost: engine:9901\r\n")
                .contains("\r\ntraceparent: " + TRACE + "\r\n")
                .endsWith("\r\nContent-Length: 2\r\n\r\n{}");
    }

    @Test
    void shouldLeaveOutATraceContextThatIsNoneOrCouldEndTheLine() {
        assertThat(post(null)).doesNotContain("traceparent");
        assertThat(post("")).doesNotContain("traceparent");
        assertThat(post(TRACE + "\r\nX-Evil: 1")).doesNotContain("traceparent", "Evil");
        assertThat(post("x".repeat(257))).doesNotContain("traceparent");
    }
}
