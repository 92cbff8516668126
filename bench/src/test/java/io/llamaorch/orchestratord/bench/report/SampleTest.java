package io.llamaorch.orchestratord.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class SampleTest {
    @Test
    void shouldReadNumbersAndTexts() throws IOException {
        Sample sample = Sample.parse("{\"label\":\"P1\",\"tokens\":3,\"tokens_s\":1.5,\"faults\":0,\"unfinished\":0}");
        assertThat(sample.number("tokens")).isEqualTo(3);
        assertThat(sample.number("tokens_s")).isEqualTo(1.5);
        assertThat(sample.number("none")).isNaN();
        assertThat(sample.text("label")).isEqualTo("P1");
        assertThat(sample.complaint()).isNull();
    }

    @Test
    void shouldSayWhatWasWrong() throws IOException {
        Sample sample = Sample.parse("{\"faults\":2,\"unfinished\":1,\"first_fault\":\"ID_GAP: here\"}");
        assertThat(sample.complaint()).isEqualTo("2 faults, 1 unfinished; ID_GAP: here");
        assertThatThrownBy(() -> Sample.parse("[]")).isInstanceOf(IOException.class);
    }
}
