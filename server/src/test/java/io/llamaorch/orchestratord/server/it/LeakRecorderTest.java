package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.api.Test;

/** The suites' leak check can fail: it sees a buffer that nobody released. */
class LeakRecorderTest {
    @Test
    void shouldTellOfALeakWhenABufferIsDropped() {
        LeakRecorder.assertNone();
        String found = "";
        for (int i = 0; i < 100 && found.isEmpty(); i++) {
            dropOne();
            found = LeakRecorder.takeFound();
        }
        assertThat(found).contains("ByteBuf");
    }

    private static void dropOne() {
        PooledByteBufAllocator.DEFAULT.directBuffer(16).writeByte(1);
    }
}
