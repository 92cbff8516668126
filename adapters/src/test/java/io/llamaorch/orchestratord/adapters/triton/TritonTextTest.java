package io.llamaorch.orchestratord.adapters.triton;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TritonTextTest {
    private static final String NOT_ON = "(does not go on)";

    private TritonText text = new TritonText(TritonText.Mode.CUMULATIVE);

    /** What is new in the frame's text, as a reader hands it over. */
    private String next(String whole) {
        byte[] bytes = ("{\"" + whole + "\"}").getBytes(StandardCharsets.UTF_8);
        int to = bytes.length - 2;
        int until = text.settledEnd(bytes, 2, to);
        int begin = text.take(bytes, 2, until, to);
        return begin < 0 ? NOT_ON : new String(bytes, begin, until - begin, StandardCharsets.UTF_8);
    }

    @Test
    void shouldFindTheNewPartWhenTextIsCumulative() {
        assertThat(next("")).isEmpty();
        assertThat(next("a\\n")).isEqualTo("a\\n");
        assertThat(next("a\\n")).isEmpty();
        assertThat(next("a\\n中\\\"b")).isEqualTo("中\\\"b");
    }

    @Test
    void shouldHoldBackAReplacementUntilItIsConfirmed() {
        assertThat(next("a\ufffd\ufffd")).isEqualTo("a");
        assertThat(text.heldCount()).isEqualTo(2);
        assertThat(next("a中")).isEqualTo("中");
        assertThat(text.heldCount()).isZero();
        assertThat(next("a中\ufffd")).isEmpty();
        assertThat(next("a中\ufffdb")).isEqualTo("\ufffdb");
    }

    @Test
    void shouldNoteNothingOfATextThatDoesNotGoOn() {
        assertThat(next("Hello")).isEqualTo("Hello");
        assertThat(next("Hell")).isEqualTo(NOT_ON);
        assertThat(next("Jello you")).isEqualTo(NOT_ON);
        assertThat(next("Hello you")).isEqualTo(" you");
    }

    @Test
    void shouldFollowALongTextWithoutLosingAByte() {
        StringBuilder whole = new StringBuilder();
        StringBuilder got = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            whole.append(i % 7 == 0 ? " \\\"中\\\\" : " token");
            got.append(next(whole.toString()));
        }
        assertThat(got.toString()).isEqualTo(whole.toString());
    }

    @Test
    void shouldSuspectCumulativeTextOnlyWhenFramesKeepGrowingOutOfEachOther() {
        text = new TritonText(TritonText.Mode.DELTA);
        for (int i = 0; i < 9; i++) {
            next("        ");
            next("        ");
            next("a longer piece");
        }
        assertThat(text.isLikelyCumulative()).isFalse();
        StringBuilder whole = new StringBuilder("something");
        for (int i = 0; i < 5; i++) {
            assertThat(text.isLikelyCumulative()).isFalse();
            assertThat(next(whole.append(" more").toString())).isEqualTo(whole.toString());
        }
        assertThat(text.isLikelyCumulative()).isTrue();
    }
}
