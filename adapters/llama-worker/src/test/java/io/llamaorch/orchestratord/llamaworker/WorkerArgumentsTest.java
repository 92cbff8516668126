package io.llamaorch.orchestratord.llamaworker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerArgumentsTest {

    @Test
    void shouldListenOnLoopbackUnlessToldOtherwise() throws WorkerExit {
        WorkerArguments args = WorkerArguments.parse("--model", "m.gguf");
        assertThat(args.host().isLoopbackAddress()).isTrue();
        assertThat(args.port()).isEqualTo(8080);
        assertThat(args.slots()).isEqualTo(1);
        assertThat(WorkerArguments.parse("--model=m.gguf", "--host=0.0.0.0")
                        .host()
                        .isAnyLocalAddress())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--model",
                "--model= ",
                "--model m --port 70000",
                "--model m --slots 0",
                "--model m --slots many",
                "--model m --gpu 1",
                "m"
            })
    void shouldSayWhatIsWrongAndHowItIsUsed(String line) {
        String[] args = line.isEmpty() ? new String[0] : line.strip().split(" ", -1);
        assertThatThrownBy(() -> WorkerArguments.parse(args))
                .isInstanceOf(WorkerExit.class)
                .hasMessageContaining("llama-worker --model FILE");
    }
}
