package io.llamaorch.orchestratord.server.sse;

import static org.assertj.core.api.Assertions.assertThat;

import io.llamaorch.orchestratord.artifacts.transcript.EventSource;
import io.llamaorch.orchestratord.artifacts.transcript.TranscriptLog;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Frames on their way to the disk and back. */
class FrameSourceTest {
    private final BlockArena arena = new BlockArena(new BlockPool(8 << 20));
    private final FrameLog log = new FrameLog(arena);
    private final FrameWriter writer = new FrameWriter();
    private final List<Integer> offsets = new ArrayList<>(List.of(0));
    private final List<byte[]> events = new ArrayList<>();

    private void append(int bytes) {
        int id = log.events() + 1;
        byte[] text = "x".repeat(bytes).getBytes(StandardCharsets.UTF_8);
        writer.token(id, text, 0, text.length, id);
        assertThat(log.append(writer.bytes(), writer.length())).isTrue();
        offsets.add(log.tail());
        String frame = new String(writer.bytes(), 0, writer.length(), StandardCharsets.UTF_8);
        int from = frame.indexOf("\r\n") + 2;
        events.add(frame.substring(from, frame.length() - 2).getBytes(StandardCharsets.UTF_8));
    }

    private byte[] plain(int from) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        events.subList(from, events.size()).forEach(all::writeBytes);
        return all.toByteArray();
    }

    @Test
    void shouldCutPartsAtEventsAndFindEachOfThemAgain() {
        Random random = new Random(11);
        for (int i = 0; i < 400; i++) {
            append(random.nextInt(20) == 0 ? random.nextInt(60_000) : random.nextInt(300));
        }
        for (int from : new int[] {0, 57, 399}) {
            FrameSource source = log.source(offsets.get(from), log.tail(), from + 1);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int event = from + 1;
            int part = 0;
            while (true) {
                ByteBuffer into = ByteBuffer.allocateDirect(TranscriptLog.PART_BYTES_MAX);
                int first = source.next(into);
                if (first == EventSource.END) {
                    break;
                }
                into.flip();
                if (first != 0) {
                    assertThat(first).isEqualTo(event);
                    assertThat(source.start(part)).isEqualTo(offsets.get(first - 1));
                    for (int at = 0; at < into.limit() && at + events.get(event - 1).length <= into.limit(); event++) {
                        assertThat(EventParts.indexOf(into, first, event)).isEqualTo(at);
                        assertThat(EventParts.indexAt(into, source.start(part), offsets.get(event - 1)))
                                .isEqualTo(at);
                        at += events.get(event - 1).length;
                    }
                    if (event == first) {
                        event++; // one that is longer than the part
                        assertThat(into.limit()).isEqualTo(TranscriptLog.PART_BYTES_MAX);
                    }
                } else {
                    assertThat(source.start(part)).isStrictlyBetween(offsets.get(event - 2), offsets.get(event - 1));
                }
                byte[] bytes = new byte[into.limit()];
                into.get(0, bytes);
                all.writeBytes(bytes);
                part++;
            }
            assertThat(all.toByteArray()).isEqualTo(plain(from));
        }
    }

    @Test
    void shouldGoOnAsBeforeWhenItsOldestFramesHaveLeftMemory() {
        for (int i = 0; i < 300; i++) {
            append(100);
        }
        long before = arena.usedBytes();
        int whole = log.droppableBytes(offsets.get(201));
        log.dropTo(offsets.get(201), 201);
        assertThat(before - arena.usedBytes()).isEqualTo(whole).isGreaterThan(20 * 1024);
        for (int event = 202; event <= 300; event++) {
            assertThat(log.offsetOf(event)).isEqualTo(offsets.get(event - 1));
        }
        append(5_000);
        assertThat(log.offsetOf(301)).isEqualTo(offsets.get(300));
        ByteBuffer rest = ByteBuffer.allocate(log.tail() - log.memoryFrom());
        log.copyTo(rest, 0, log.memoryFrom(), rest.capacity());
        assertThat(new String(rest.array(), StandardCharsets.UTF_8))
                .startsWith("9")
                .contains("id: 202\n", "id: 301\n");
        assertThat(log.truncate(offsets.get(250))).isEqualTo(51);
        assertThat(log.events()).isEqualTo(250);
        log.release();
        assertThat(arena.usedBytes()).isZero();
        assertThat(log.memoryFrom()).isEqualTo(offsets.get(250));
    }

    @Test
    void shouldFrameAPartAsOneChunk() {
        ByteBuffer part = ByteBuffer.wrap("id: 1\n\nid: 2\n\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(text(EventParts.chunk(part, 7, false))).isEqualTo("7\r\nid: 2\n\n\r\n");
        assertThat(text(EventParts.chunk(part, 0, true))).isEqualTo("e\r\nid: 1\n\nid: 2\n\n\r\n0\r\n\r\n");
        assertThat(text(EventParts.chunk(part, 14, true))).isEqualTo("0\r\n\r\n");
        assertThat(text(EventParts.plain(part, 7))).isEqualTo("id: 2\n\n");
    }

    private static String text(ByteBuf bytes) {
        String text = bytes.toString(StandardCharsets.US_ASCII);
        bytes.release();
        return text;
    }
}
