package io.llamaorch.orchestratord.artifacts.json;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * A double as ECMAScript's {@code Number::toString} writes it (ECMA-262 §6.1.6.1.20), which RFC 8785 §3.2.2.3 asks for.
 *
 * <p>The shortest decimal that reads back as the same double, of those the closest. {@link Double#toString} finds it since
 * JDK 19 but for one case: it never gives less than two digits, and so may miss the one digit that would do
 * ({@code 4.9E-324} for {@code 5e-324}).
 */
final class EcmaNumber {
    /** From this exponent on, and below {@link #SMALLEST_PLAIN}, there is an exponent in the text. */
    private static final int LARGEST_PLAIN = 21;

    private static final int SMALLEST_PLAIN = -6;

    private EcmaNumber() {}

    /**
     * Appends the number.
     *
     * @param value finite
     * @throws IllegalArgumentException for NaN and the infinities: JSON has none
     */
    static void append(StringBuilder out, double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("not a JSON number: " + value);
        }
        if (value == 0) {
            out.append('0'); // also for −0
            return;
        }
        if (value < 0) {
            out.append('-');
        }
        double magnitude = Math.abs(value);
        BigDecimal shortest = shortest(magnitude);
        String digits = shortest.unscaledValue().toString();
        int count = digits.length();
        int point = count - shortest.scale(); // value = 0.digits × 10^point
        if (point > 0 && point <= LARGEST_PLAIN) {
            plain(out, digits, count, point);
        } else if (point > SMALLEST_PLAIN && point <= 0) {
            out.append("0.").repeat('0', -point).append(digits);
        } else {
            out.append(digits.charAt(0));
            if (count > 1) {
                out.append('.').append(digits, 1, count);
            }
            out.append('e').append(point > 0 ? '+' : '-').append(Math.abs(point - 1));
        }
    }

    private static void plain(StringBuilder out, String digits, int count, int point) {
        if (count <= point) {
            out.append(digits).repeat('0', point - count);
        } else {
            out.append(digits, 0, point).append('.').append(digits, point, count);
        }
    }

    private static BigDecimal shortest(double magnitude) {
        BigDecimal found = new BigDecimal(Double.toString(magnitude)).stripTrailingZeros();
        if (found.precision() != 2) {
            return found;
        }
        BigDecimal exact = new BigDecimal(magnitude);
        BigDecimal below = new BigDecimal(found.unscaledValue().divide(BigInteger.TEN), found.scale() - 1);
        BigDecimal above = below.add(new BigDecimal(BigInteger.ONE, below.scale()));
        boolean belowSame = below.doubleValue() == magnitude;
        boolean aboveSame = above.doubleValue() == magnitude;
        if (!belowSame && !aboveSame) {
            return found;
        }
        boolean belowCloser = exact.subtract(below).compareTo(above.subtract(exact)) < 0;
        return (belowSame && (belowCloser || !aboveSame) ? below : above).stripTrailingZeros();
    }
}
