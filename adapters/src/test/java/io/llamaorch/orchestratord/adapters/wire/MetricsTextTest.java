package io.llamaorch.orchestratord.adapters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTextTest {
    @Test
    void shouldReadSamplesAndPassOverTheRest() {
        String text =
                """
                # HELP a something
                # TYPE a gauge
                a 1
                b{} 2.5
                c{model="m",reason="a \\"b\\", }{"} 3e2 1700000000
                d NaN
                broken
                e{x="y 4
                f{x="y"} much
                g:h	7
                """;
        List<String> samples = new ArrayList<>();
        MetricsText.read(
                text.getBytes(StandardCharsets.UTF_8),
                (name, labels, value) -> samples.add(name + "|" + labels + "|" + value));
        assertThat(samples)
                .containsExactly(
                        "a||1.0", "b||2.5", "c|model=\"m\",reason=\"a \\\"b\\\", }{\"|300.0", "d||NaN", "g:h||7.0");
    }

    @Test
    void shouldFindALabelByItsWholeName() {
        String labels = "model_name=\"m\", reason=\"a \\\"model=\\\", x\",model=\"n\"";
        assertThat(MetricsText.label(labels, "model")).isEqualTo("n");
        assertThat(MetricsText.label(labels, "name")).isNull();
        assertThat(MetricsText.label(labels, "reason")).isEqualTo("a \\\"model=\\\", x");
    }
}
