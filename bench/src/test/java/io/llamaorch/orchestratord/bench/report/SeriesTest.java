package io.llamaorch.orchestratord.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SeriesTest {
    @Test
    void shouldTakeTheMiddle() {
        assertThat(new Series(3, 1, 2).median()).isEqualTo(2);
        assertThat(new Series(4, 1, 3, 2).median()).isEqualTo(2.5);
        assertThat(new Series(7).median()).isEqualTo(7);
        assertThat(new Series().median()).isNaN();
        assertThat(new Series(5, 1, 3).min()).isEqualTo(1);
        assertThat(new Series(5, 1, 3).max()).isEqualTo(5);
    }

    @Test
    void shouldLeaveOutWhatWasNotMeasured() {
        assertThat(new Series(Double.NaN, 2, Double.NaN).median()).isEqualTo(2);
        assertThat(new Series(Double.NaN).isEmpty()).isTrue();
    }

    @Test
    void shouldPrintThreeDigits() {
        assertThat(Series.number(12345.6)).isEqualTo("12,346");
        assertThat(Series.number(12.345)).isEqualTo("12.3");
        assertThat(Series.number(1.2345)).isEqualTo("1.23");
        assertThat(Series.number(0.12345)).isEqualTo("0.123");
        assertThat(Series.number(Double.NaN)).isEqualTo("–");
        assertThat(new Series(1, 2, 3).text()).isEqualTo("2.00 (1.00–3.00)");
    }

    @Test
    void shouldSeparateTheCostOfATokenFromThatOfATask() {
        double perTask = 400;
        double perToken = 3;
        double few = (perTask + 20 * perToken) / 20;
        double many = (perTask + 1000 * perToken) / 1000;
        assertThat(BenchReport.slope(few, 20, many, 1000)).isCloseTo(perToken, within(1e-9));
    }
}
