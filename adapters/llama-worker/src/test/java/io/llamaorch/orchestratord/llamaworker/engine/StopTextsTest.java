package io.llamaorch.orchestratord.llamaworker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopTextsTest {

    /** Feeds character by character; what was handed on. */
    private static String feed(StopTexts texts, String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length() && texts.met().isEmpty(); i++) {
            texts.pending().append(text.charAt(i));
            out.append(texts.release());
        }
        return out.toString();
    }

    @Test
    void shouldHandOnAllWhenThereIsNoStopText() {
        StopTexts texts = new StopTexts(List.of());
        assertThat(feed(texts, "abc")).isEqualTo("abc");
        assertThat(texts.met()).isEmpty();
    }

    @Test
    void shouldWithholdWhatMayBecomeAStopText() {
        StopTexts texts = new StopTexts(List.of("END", "ENTER"));
        assertThat(feed(texts, "the EN")).isEqualTo("the ");
        assertThat(feed(texts, "E")).isEqualTo("EN");
        assertThat(texts.releaseAll()).isEqualTo("E");
        assertThat(texts.pending()).isEmpty();
    }

    @Test
    void shouldEndBeforeTheStopTextHoweverItsBeginningRepeats() {
        StopTexts texts = new StopTexts(List.of("aab"));
        assertThat(feed(texts, "xaaaab tail")).isEqualTo("xaa");
        assertThat(texts.met()).isEqualTo("aab");
        assertThat(texts.releaseAll()).isEmpty();
    }

    @Test
    void shouldTakeTheFirstOfSeveralWithinOnePiece() {
        StopTexts texts = new StopTexts(List.of("zz", "b"));
        texts.pending().append("abzz");
        assertThat(texts.release()).isEqualTo("a");
        assertThat(texts.met()).isEqualTo("b");
    }
}
