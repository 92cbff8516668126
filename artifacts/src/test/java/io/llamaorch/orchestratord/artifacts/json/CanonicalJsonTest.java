package io.llamaorch.orchestratord.artifacts.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The canonical form against the examples of RFC 8785. */
@NullUnmarked
class CanonicalJsonTest {
    private static Object parse(String text) throws MalformedJson {
        return CanonicalJson.parse(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String canonical(String text) throws MalformedJson {
        return new String(CanonicalJson.write(parse(text)), StandardCharsets.UTF_8);
    }

    /** RFC 8785 §3.2.2 and §3.2.4. */
    @Test
    void shouldWriteTheExampleOfTheRfc() throws MalformedJson {
        String sample =
                """
                {
                  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
                  "literals": [null, true, false]
                }""";
        assertThat(canonical(sample))
                .isEqualTo("{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                        + "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    }

    /** RFC 8785 §3.2.3. */
    @Test
    void shouldSortMembersByUtf16CodeUnits() throws MalformedJson {
        String sample = "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew\",\"1\":\"One\","
                + "\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\",\"\\u00f6\":\"o\"}";
        assertThat(canonical(sample))
                .containsSubsequence("Carriage", "One", "Control", "\"o\"", "Euro", "Emoji", "Hebrew");
    }

    /** RFC 8785, appendix B. */
    @ParameterizedTest
    @CsvSource({
        "0000000000000000, 0",
        "8000000000000000, 0",
        "0000000000000001, 5e-324",
        "8000000000000001, -5e-324",
        "7fefffffffffffff, 1.7976931348623157e+308",
        "ffefffffffffffff, -1.7976931348623157e+308",
        "4340000000000000, 9007199254740992",
        "c340000000000000, -9007199254740992",
        "4430000000000000, 295147905179352830000",
        "44b52d02c7e14af5, 9.999999999999997e+22",
        "44b52d02c7e14af6, 1e+23",
        "44b52d02c7e14af7, 1.0000000000000001e+23",
        "444b1ae4d6e2ef4e, 999999999999999700000",
        "444b1ae4d6e2ef4f, 999999999999999900000",
        "444b1ae4d6e2ef50, 1e+21",
        "3eb0c6f7a0b5ed8c, 9.999999999999997e-7",
        "3eb0c6f7a0b5ed8d, 0.000001",
        "41b3de4355555553, 333333333.3333332",
        "41b3de4355555554, 333333333.33333325",
        "41b3de4355555555, 333333333.3333333",
        "41b3de4355555556, 333333333.3333334",
        "41b3de4355555557, 333333333.33333343",
        "becbf647612f3696, -0.0000033333333333333333",
        "43143ff3c1cb0959, 1424953923781206.2",
    })
    void shouldWriteNumbersAsEcmaScriptDoes(String bits, String text) {
        StringBuilder out = new StringBuilder();
        EcmaNumber.append(out, Double.longBitsToDouble(Long.parseUnsignedLong(bits, 16)));
        assertThat(out).hasToString(text);
    }

    @Test
    void shouldReadBackEveryNumberThatItWrites() {
        SplittableRandom random = new SplittableRandom(8785);
        for (int i = 0; i < 200_000; i++) {
            double value = Double.longBitsToDouble(random.nextLong() >>> random.nextInt(12));
            if (Double.isFinite(value)) {
                StringBuilder out = new StringBuilder();
                EcmaNumber.append(out, value);
                assertThat(Double.parseDouble(out.toString())).isEqualTo(value == 0 ? 0.0 : value);
            }
        }
    }

    @Test
    void shouldBeStableUnderItself() throws MalformedJson {
        String once = canonical("{\"b\":[1.0,{\"d\":\"\\u0001\",\"c\":-0.0}],\"a\":12e3}");
        assertThat(once).isEqualTo("{\"a\":12000,\"b\":[1,{\"c\":0,\"d\":\"\\u0001\"}]}");
        assertThat(canonical(once)).isEqualTo(once);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"a\":1,}",
                "[1 2]",
                "{\"a\":1} 2",
                "{\"a\":1,\"a\":1}",
                "[\"\\ud800\"]",
                "{\"\\udc00\":1}",
                "[1e400]",
                "[9007199254740993]",
                "[12345678901234567890]",
                "[NaN]",
                "[01]",
                "['a']",
                "\ufeff{}",
            })
    void shouldRefuseWhatHasNoOneForm(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(MalformedJson.class);
    }

    @Test
    void shouldRefuseWhatIsNoUtf8OrTooDeep() {
        assertThatThrownBy(() -> CanonicalJson.parse(ByteBuffer.wrap(new byte[] {'"', (byte) 0xc0, (byte) 0x80, '"'})))
                .isInstanceOf(MalformedJson.class);
        assertThatThrownBy(() -> parse("[".repeat(33) + "]".repeat(33))).isInstanceOf(MalformedJson.class);
        assertThatThrownBy(() -> parse("[" + "1".repeat(65) + "]")).isInstanceOf(MalformedJson.class);
    }

    @Test
    void shouldNameTheMemberAtFault() {
        assertThatThrownBy(() -> parse("{\"a\":[{\"b/c\":1,\"b/c\":2}]}"))
                .isInstanceOfSatisfying(MalformedJson.class, fault -> assertThat(fault.pointer())
                        .isEqualTo("/a/0/b~1c"));
    }
}
