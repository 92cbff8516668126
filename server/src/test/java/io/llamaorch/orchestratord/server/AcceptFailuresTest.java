package io.llamaorch.orchestratord.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.metrics.Metrics;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AcceptFailuresTest {
    private long nowNs = 5;

    @Test
    void shouldCountEveryFailureAndLogOneAMinute() {
        List<String> lines = new ArrayList<>();
        Metrics metrics = new Metrics(false);
        EmbeddedChannel listener =
                new EmbeddedChannel(new AcceptFailures(lines::add, metrics.acceptFailures(), () -> nowNs));
        for (int second = 0; second < 61; second++) {
            listener.pipeline().fireExceptionCaught(new IOException("accept(..) failed: Too many open files"));
            nowNs += TimeUnit.SECONDS.toNanos(1);
        }
        listener.checkException();
        assertThat(metrics.acceptFailures().get()).isEqualTo(61);
        assertThat(lines).hasSize(2).allMatch(line -> line.contains("Too many open files"));
        assertThat(lines.get(1)).contains("(60 since");
        listener.finishAndReleaseAll();
    }
}
