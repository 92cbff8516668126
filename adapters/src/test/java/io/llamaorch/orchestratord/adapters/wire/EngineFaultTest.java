package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineFaultTest {
    private static EngineFault read(String body) {
        return EngineFault.read(body.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldFindTheWordsInEveryShape() {
        EngineFault full = new EngineFault(503, "kind", "wörds");
        assertThat(read("{\"error\":{\"code\":503,\"message\":\"wörds\",\"type\":\"kind\",\"param\":null}}"))
                .isEqualTo(full);
        assertThat(
                        read(
                                "data: {\"error\": {\"http_status_code\": 503, \"message\": \"wörds\", \"type\": \"kind\"}}\n\n"))
                .isEqualTo(full);
        assertThat(read("{\"object\":\"error\",\"message\":\"wörds\",\"type\":\"kind\",\"param\":null,\"code\":503}"))
                .isEqualTo(full);
        assertThat(read("data:{\"error\":\"wörds\",\"error_type\":\"kind\"}"))
                .isEqualTo(new EngineFault(0, "kind", "wörds"));
        assertThat(read("{\"detail\":\"wörds\"}").message()).isEqualTo("wörds");
        assertThat(read("{\"detail\":[{\"loc\":[\"body\",1],\"msg\":\"wörds\",\"type\":\"kind\"},{\"msg\":\"more\"}]}"))
                .isEqualTo(new EngineFault(0, "kind", "wörds"));
        assertThat(read("proxy error: wörds\n").message()).isEqualTo("proxy error: wörds");
        for (String wordless : List.of("", "{}", "{\"error\":null}", "<html>no</html>", "{\"broken", "data: x")) {
            assertThat(read(wordless).message()).as(wordless).isEmpty();
        }
    }

    @Test
    void shouldTakeTheStatusThatTheErrorNamesWithinAStreamOnly() {
        assertThat(new EngineFault(503, "", "").effectiveStatus(200)).isEqualTo(503);
        assertThat(new EngineFault(503, "", "").effectiveStatus(400)).isEqualTo(400);
        assertThat(new EngineFault(7, "", "").effectiveStatus(200)).isEqualTo(500);
    }

    @Test
    void shouldNotRepeatWhatTheClientSent() {
        EngineFault echo = new EngineFault(0, "", "can't parse: the quick brown fox\u2028 and");
        List<String> secrets = List.of("x", "I saw the quick brown fox jump");
        EngineFailure failure = echo.toFailure("engine", 400, ErrorCode.INVALID_PARAMS, secrets);
        assertThat(failure.message()).isEqualTo("engine answered with status 400");
        assertThat(echo.toFailure("engine", 200, ErrorCode.INTERNAL, List.of("other text entirely"))
                        .message())
                .isEqualTo("engine answered in its stream: can't parse: the quick brown fox  and");
        String endless = "long ".repeat(1000);
        assertThat(EngineWords.presentable(endless)).hasSizeLessThanOrEqualTo(EngineWords.MESSAGE_MAX);
    }
}
