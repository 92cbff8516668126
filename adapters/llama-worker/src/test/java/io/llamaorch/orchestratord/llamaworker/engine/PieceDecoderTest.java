package io.llamaorch.orchestratord.llamaworker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PieceDecoderTest {
    private static final String TEXT = "aé€😀 ok";

    private final PieceDecoder decoder = new PieceDecoder();
    private final StringBuilder text = new StringBuilder();

    @Test
    void shouldHoldACharacterUntilItIsWholeWhereverItIsCut() {
        byte[] utf8 = TEXT.getBytes(StandardCharsets.UTF_8);
        for (int fed = 1; fed <= utf8.length; fed++) {
            decoder.decode(new byte[] {utf8[fed - 1]}, text);
            assertThat(TEXT).startsWith(text);
            boolean whole = text.toString().getBytes(StandardCharsets.UTF_8).length == fed;
            assertThat(decoder.isWithinCharacter()).as("after %d bytes", fed).isEqualTo(!whole);
        }
        assertThat(text.toString()).isEqualTo(TEXT);
    }

    @Test
    void shouldTakePiecesOfAnyLength() {
        String longText = TEXT.repeat(100);
        byte[] utf8 = longText.getBytes(StandardCharsets.UTF_8);
        decoder.decode(new byte[] {utf8[0], utf8[1]}, text);
        decoder.decode(java.util.Arrays.copyOfRange(utf8, 2, utf8.length), text);
        assertThat(text.toString()).isEqualTo(longText);
    }

    @Test
    void shouldReplaceWhatIsNoUtf8() {
        decoder.decode(new byte[] {'a', (byte) 0xff, 'b', (byte) 0xc3}, text);
        assertThat(text.toString()).isEqualTo("a\ufffdb");
        decoder.decode(new byte[] {'c'}, text);
        assertThat(text.toString()).isEqualTo("a\ufffdb\ufffdc");
    }

    @Test
    void shouldReplaceACutCharacterAtTheEnd() {
        decoder.decode(new byte[] {'a', (byte) 0xf0, (byte) 0x9f}, text);
        assertThat(text.toString()).isEqualTo("a");
        decoder.finish(text);
        assertThat(text.toString()).isEqualTo("a\ufffd");
        assertThat(decoder.isWithinCharacter()).isFalse();
    }
}
