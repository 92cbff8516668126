package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameLogTest {
    private final BlockArena arena = new BlockArena(new BlockPool(8 << 20));
    private final FrameLog log = new FrameLog(arena);
    private final FrameWriter writer = new FrameWriter();
    private final ByteArrayOutputStream expected = new ByteArrayOutputStream();
    private final List<Integer> offsets = new ArrayList<>();

    private void appendToken(String text, int index) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        writer.token(log.events() + 1, bytes, 0, bytes.length, index);
        appendBuilt();
    }

    private void appendBuilt() {
        offsets.add(log.tail());
        assertThat(log.append(writer.bytes(), writer.length())).isTrue();
        expected.write(writer.bytes(), 0, writer.length());
    }

    private byte[] read(int from, int length) {
        ByteBuffer target = ByteBuffer.allocate(length);
        log.copyTo(target, 0, from, length);
        return target.array();
    }

    @Test
    void shouldHoldEveryByteAndFindEveryEventWhenFramesCrossBlocks() {
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            if (random.nextInt(10) == 0) {
                writer.event(log.events() + 1, "metrics", "{\"queue_depth\":" + random.nextInt(1000) + "}");
                appendBuilt();
            } else {
                appendToken("x".repeat(random.nextInt(random.nextInt(8) == 0 ? 3000 : 20)), i);
            }
        }
        byte[] all = expected.toByteArray();
        assertThat(read(0, log.tail())).isEqualTo(all);
        for (int event = 1; event <= log.events(); event++) {
            assertThat(log.offsetOf(event)).isEqualTo(offsets.get(event - 1));
        }
        assertThat(log.offsetOf(log.events() + 1)).isEqualTo(log.tail());
        int from = offsets.get(100);
        assertThat(read(from, 5000)).isEqualTo(java.util.Arrays.copyOfRange(all, from, from + 5000));
    }

    @Test
    void shouldCutChunksAtFramesWhenAskedForAPart() {
        for (int i = 0; i < 200; i++) {
            appendToken("t" + i, i);
        }
        appendToken("long".repeat(2000), 200);
        int at = 0;
        while (at < log.tail()) {
            int end = log.boundaryWithin(at, 1000);
            assertThat(end).isGreaterThan(at);
            assertThat(end == log.tail() || offsets.contains(end)).isTrue();
            assertThat(end - at <= 1000 || offsets.contains(at)).isTrue();
            at = end;
        }
    }

    @Test
    void shouldCountDroppedTokensAndReuseTheirPlaceWhenTruncated() {
        for (int i = 0; i < 100; i++) {
            appendToken("a" + i, i);
        }
        writer.event(log.events() + 1, "metrics", "{}");
        appendBuilt();
        appendToken("b", 100);
        long used = arena.usedBytes();
        int keep = offsets.get(40);
        assertThat(log.truncate(keep)).isEqualTo(61);
        assertThat(log.events()).isEqualTo(40);
        assertThat(log.tail()).isEqualTo(keep);
        assertThat(arena.usedBytes()).isLessThan(used);
        for (int i = 40; i < 140; i++) {
            byte[] text = "c".getBytes(StandardCharsets.UTF_8);
            writer.token(log.events() + 1, text, 0, 1, i);
            int offset = log.tail();
            log.append(writer.bytes(), writer.length());
            assertThat(log.offsetOf(log.events())).isEqualTo(offset);
        }
    }

    @Test
    void shouldRefuseAndStayWholeWhenTheBudgetIsUsedUp() {
        BlockArena small = new BlockArena(new BlockPool(1));
        FrameLog first = new FrameLog(small);
        byte[] frame = new byte[1152 * 1024]; // a slab, and an eighth of it
        assertThat(first.append(frame, frame.length)).isTrue();
        FrameLog second = new FrameLog(small);
        assertThat(second.append(frame, 1)).isFalse();
        assertThat(second.tail()).isZero();
        second.appendTerminal(frame, 10);
        assertThat(second.tail()).isEqualTo(10);
        second.release();
        first.release();
        assertThat(small.usedBytes()).isZero();
        assertThat(new FrameLog(small).append(frame, 1)).isTrue();
    }

    @Test
    void shouldWriteOneChunkAFrame() {
        byte[] text = "h\\u00e9".getBytes(StandardCharsets.UTF_8);
        writer.token(12, text, 0, text.length, 11);
        String event = "id: 12\nevent: token\ndata: {\"t\":\"h\\u00e9\",\"i\":11}\n\n";
        assertThat(new String(writer.bytes(), 0, writer.length(), StandardCharsets.UTF_8))
                .isEqualTo(Integer.toHexString(event.length()) + "\r\n" + event + "\r\n");
        writer.comment("queued position=3 eta_ms=420");
        assertThat(new String(writer.bytes(), 0, writer.length(), StandardCharsets.UTF_8))
                .isEqualTo("20\r\n: queued position=3 eta_ms=420\n\n\r\n");
    }
}
