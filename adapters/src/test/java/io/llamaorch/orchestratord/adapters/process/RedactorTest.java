package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RedactorTest {
    private static Redactor of(Map<String, String> environment, String... argv) {
        return new Redactor(new EngineCommand(List.of(argv), environment, null));
    }

    @Test
    void shouldLeaveKeysOutOfTheCommandLine() {
        EngineCommand command = new EngineCommand(
                List.of(
                        "/e",
                        "--api-key",
                        "abcdefgh1",
                        "--hf-token=wxyz1234",
                        "--max-tokens",
                        "500",
                        "--tokenizer",
                        "t"),
                Map.of(),
                null);
        assertThat(command.toString())
                .isEqualTo("/e --api-key [redacted] --hf-token=[redacted] --max-tokens 500 --tokenizer t");
    }

    @Test
    void shouldHideTheCommandsOwnSecretsWhereverTheyTurnUp() {
        Redactor redactor = of(Map.of("HF_TOKEN", "tokentoken", "MODE", "verbose"), "/e", "--api-key", "abcdefgh1");
        assertThat(redactor.clean("args: Namespace(k='abcdefgh1', verbose, t=tokentoken)"))
                .isEqualTo("args: Namespace(k='[redacted]', verbose, t=[redacted])");
    }

    @Test
    void shouldHideWhatLooksLikeAKey() {
        Redactor redactor = of(Map.of(), "/e");
        assertThat(redactor.clean("api_key='x9', port=8000")).isEqualTo("api_key='[redacted]', port=8000");
        assertThat(redactor.clean("api_key=['x9'], port=8000")).isEqualTo("api_key=['[redacted]'], port=8000");
        assertThat(redactor.clean("Authorization: Bearer abc.def-123")).isEqualTo("Authorization: Bearer [redacted]");
        assertThat(redactor.clean("using hf_AbCdEf123456 for it")).isEqualTo("using [redacted] for it");
    }

    @Test
    void shouldLeaveOrdinaryLinesAlone() {
        Redactor redactor = of(Map.of(), "/e", "--ctx", "4096");
        String line = "print_info: BOS token = 1 '<s>', max_tokens=512, key_length = 128";
        assertThat(redactor.clean(line)).isEqualTo(line);
    }
}
