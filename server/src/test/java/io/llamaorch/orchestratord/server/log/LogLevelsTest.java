package io.llamaorch.orchestratord.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.server.config.Config;
import io.llamaorch.orchestratord.server.config.Config.LogLevel;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogLevelsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Logging logging =
            Logging.start(new Config.Log(LogLevel.INFO, Config.LogFormat.JSON, 1_024, null), out, false);
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final LogLevels levels = logging.levels(LogLevel.INFO, channel.eventLoop());
    private final List<LogLevels.Now> answers = new ArrayList<>();

    @BeforeEach
    void freeze() {
        channel.freezeTime();
    }

    @AfterEach
    void close() {
        logging.close();
        channel.close();
    }

    private LogLevels.Now change(LogLevel to, long forMs) {
        levels.change(to, forMs, "corr", "key:ops", answers::add);
        channel.runPendingTasks();
        return answers.get(answers.size() - 1);
    }

    private LogLevels.Now ask() {
        levels.ask(answers::add);
        channel.runPendingTasks();
        return answers.get(answers.size() - 1);
    }

    private void pass(long ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
    }

    private List<String> lines() {
        logging.close();
        return out.toString(UTF_8).lines().toList();
    }

    @Test
    void shouldGoBackByItselfWhenTheTimeIsOver() {
        assertThat(change(LogLevel.DEBUG, 1_000)).isEqualTo(new LogLevels.Now(LogLevel.DEBUG, LogLevel.INFO, 1_000));
        assertThat(logging.events().wantsRequests()).isTrue();
        pass(999);
        assertThat(ask()).isEqualTo(new LogLevels.Now(LogLevel.DEBUG, LogLevel.INFO, 1));
        pass(1);
        assertThat(ask()).isEqualTo(new LogLevels.Now(LogLevel.INFO, LogLevel.INFO, 0));
        assertThat(logging.events().wantsRequests()).isFalse();
        assertThat(lines())
                .satisfiesExactly(
                        line -> assertThat(line)
                                .contains(
                                        "\"event\":\"log_level\"",
                                        "\"identity\":\"key:ops\"",
                                        "\"from\":\"info\",\"to\":\"debug\",\"reverts_in_ms\":1000,\"reason\":\"asked\""),
                        line -> assertThat(line)
                                .contains("\"from\":\"debug\",\"to\":\"info\",\"reason\":\"expired\"")
                                .doesNotContain("identity"));
    }

    @Test
    void shouldHoldForTheLastOrderOnlyWhenSeveralCome() {
        change(LogLevel.DEBUG, 1_000);
        pass(500);
        change(LogLevel.TRACE, 1_000);
        pass(600);
        assertThat(ask().level()).isEqualTo(LogLevel.TRACE);
        change(LogLevel.INFO, 1_000);
        assertThat(ask()).isEqualTo(new LogLevels.Now(LogLevel.INFO, LogLevel.INFO, 0));
        pass(5_000);
        assertThat(ask().level()).isEqualTo(LogLevel.INFO);
        assertThat(lines()).hasSize(3);
    }

    @Test
    void shouldSayThatItGoesQuietBeforeItDoes() {
        change(LogLevel.ERROR, 1_000);
        logging.events().daemonStarting("quiet");
        pass(1_000);
        logging.events().daemonStarting("loud");
        assertThat(lines())
                .satisfiesExactly(
                        line -> assertThat(line).contains("\"to\":\"error\""),
                        line -> assertThat(line).contains("\"to\":\"info\""),
                        line -> assertThat(line).contains("loud"));
    }
}
