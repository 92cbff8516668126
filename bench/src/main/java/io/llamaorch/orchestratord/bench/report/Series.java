package io.llamaorch.orchestratord.bench.report;

import java.util.Arrays;
import java.util.Locale;

/** The values of one figure over the rounds; those that are NaN were not measured and do not count. */
final class Series {
    private final double[] values;

    Series(double... values) {
        this.values = Arrays.stream(values)
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
    }

    boolean isEmpty() {
        return values.length == 0;
    }

    /** The middle one, or the mean of the two in the middle; NaN when there is none. */
    double median() {
        int count = values.length;
        if (count == 0) {
            return Double.NaN;
        }
        return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    }

    double min() {
        return isEmpty() ? Double.NaN : values[0];
    }

    double max() {
        return isEmpty() ? Double.NaN : values[values.length - 1];
    }

    /** {@code median (min–max)} with three significant digits. */
    String text() {
        return isEmpty() ? "–" : number(median()) + " (" + number(min()) + "–" + number(max()) + ")";
    }

    /** A number with three significant digits, without an exponent. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "–";
        }
        double size = Math.abs(value);
        int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
