package io.llamaorch.orchestratord.llamaworker.schema;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarLimitsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "root ::= \"a\" | ([b-z] (\"c\")){2,1000}",
                "root ::= \"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((\\\"(\"",
                "root ::= [(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((\\]{]",
                "# ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((( {9999\nroot ::= \"a\"",
                "root ::= \"{99999}\"",
                "",
                "root ::= \"",
                "root ::= \"a\"{"
            })
    void shouldLetPassWhatIsNotTooMuch(String grammar) {
        assertThat(GrammarLimits.problemOf(grammar)).isNull();
    }

    @Test
    void shouldNameWhatIsTooMuch() {
        assertThat(GrammarLimits.problemOf("root ::= " + "(".repeat(65))).contains("64 parentheses");
        assertThat(GrammarLimits.problemOf("root ::= (\"\\\"\" ".repeat(65))).contains("64 parentheses");
        assertThat(GrammarLimits.problemOf("root ::= \"a\"{1001}")).contains("1000 times");
        assertThat(GrammarLimits.problemOf("root ::= \"a\"{1,99999999999999999999}"))
                .contains("1000 times");
        assertThat(GrammarLimits.problemOf("root ::= " + "\"a\"{1000}".repeat(11)))
                .contains("in all");
        assertThat(GrammarLimits.problemOf("#".repeat(300_000))).contains("characters");
        assertThat(GrammarLimits.problemOf("root ::= \"\0\"")).contains("NUL");
    }
}
