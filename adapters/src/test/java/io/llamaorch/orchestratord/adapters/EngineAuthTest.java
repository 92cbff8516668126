package io.llamaorch.orchestratord.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EngineAuthTest {

    @Test
    void shouldHoldAKeyAndNotShowIt() {
        EngineAuth auth = EngineAuth.bearer("s3cret");
        assertThat(auth.value()).isEqualTo("Bearer s3cret");
        assertThat(auth.toString()).doesNotContain("s3cret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a\r\nHost: x", "k\u00e9y", "a\u0000"})
    void shouldRefuseAValueThatIsNoHeaderLine(String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EngineAuth("X-Api-Key", value))
                .withMessageNotContaining("Host");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a:", "\u00e4"})
    void shouldRefuseANameThatIsNone(String header) {
        assertThatIllegalArgumentException().isThrownBy(() -> new EngineAuth(header, "v"));
    }
}
