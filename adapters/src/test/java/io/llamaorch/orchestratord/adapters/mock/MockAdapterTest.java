package io.llamaorch.orchestratord.adapters.mock;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineTarget;
import io.llamaorch.orchestratord.adapters.EngineTimeouts;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import io.llamaorch.orchestratord.adapters.testing.RecordingSink;
import io.llamaorch.orchestratord.adapters.testing.Requests;
import io.llamaorch.orchestratord.adapters.wire.JsonText;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MockAdapterTest {
    private static final MultiThreadIoEventLoopGroup GROUP =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    @AfterAll
    static void stop() {
        GROUP.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static RecordingSink run(String url, String prompt, int maxTokens) {
        EngineTarget target = EngineTarget.of("p", "r", URI.create(url), EngineTimeouts.of(1000, 1000, 1000));
        EventLoop loop = GROUP.next();
        RecordingSink sink = new RecordingSink();
        loop.execute(
                () -> new MockAdapter().start(target, Requests.completion(prompt, maxTokens, 7), null, loop, sink));
        sink.terminal().join();
        assertThat(sink.violations()).isEmpty();
        return sink;
    }

    @Test
    void shouldSayTheSameAtAnySpeed() {
        RecordingSink fast = run("mock:?", "hello", 100);
        RecordingSink slow = run("mock:?tokens_per_s=5000&ttft_ms=3&prompt_ms_per_token=0.5", "hello", 100);
        assertThat(fast.tokens()).isEqualTo(slow.tokens()).hasSizeLessThanOrEqualTo(100);
        assertThat(((EngineUsage) fast.terminal().join()).tokensOut())
                .isEqualTo(fast.tokens().size());
        assertThat(run("mock:?", "other", 100).text()).isNotEqualTo(fast.text());
    }

    @Test
    void shouldEmitWellFormedTextInBoundedBursts() {
        RecordingSink sink = run("mock:?", "well formed", 5000);
        for (String token : sink.tokens()) {
            byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
            assertThat(JsonText.isWellFormed(bytes, 0, bytes.length)).as(token).isTrue();
        }
        assertThat(sink.batches()).isGreaterThanOrEqualTo(sink.tokens().size() / MockCall.BURST_MAX);
    }
}
