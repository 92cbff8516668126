package io.llamaorch.orchestratord.adapters.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogLinesTest {
    private final List<String> seen = new ArrayList<>();

    private List<String> feed(String text, int chunk, int lineMax) {
        seen.clear();
        LogLines lines = new LogLines(lineMax, seen::add);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int from = 0; from < bytes.length; from += chunk) {
            byte[] part = java.util.Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + chunk));
            lines.feed(part, part.length);
        }
        lines.end();
        return seen;
    }

    @Test
    void shouldCutLinesAtAnyChunkSize() {
        for (int chunk = 1; chunk < 12; chunk++) {
            assertThat(feed("one\r\n\ntwö €\nlast", chunk, 64)).containsExactly("one", "twö €", "last");
        }
    }

    @Test
    void shouldShowAProgressBarAsItStandsAtTheEnd() {
        assertThat(feed("\rload 1%\rload 50%\rload 100%\nnext\n", 3, 64)).containsExactly("load 100%", "next");
    }

    @Test
    void shouldBoundALine() {
        assertThat(feed("0123456789abcdef\nshort\n", 5, 10)).containsExactly("0123456789 [cut]", "short");
        assertThat(feed("0123456789\n", 5, 10)).containsExactly("0123456789");
    }

    @Test
    void shouldLeaveOutEscapesAndControls() {
        assertThat(feed("\u001b[1;31mERROR\u001b[0m a\tb\u0007c\u001b", 4, 64)).containsExactly("ERROR a bc");
    }

    @Test
    void shouldKeepTheLastLinesWithinBothBounds() {
        LogRing ring = new LogRing(3, 100);
        for (int i = 0; i < 5; i++) {
            ring.add("line " + i);
        }
        assertThat(ring.tail(10)).containsExactly("line 2", "line 3", "line 4");
        assertThat(ring.tail(1)).containsExactly("line 4");
        assertThat(ring.total()).isEqualTo(5);
        ring.add("x".repeat(95));
        assertThat(ring.tail(10)).containsExactly("x".repeat(95));
        ring.add("y".repeat(300));
        assertThat(ring.tail(10)).containsExactly("y".repeat(100));
    }
}
