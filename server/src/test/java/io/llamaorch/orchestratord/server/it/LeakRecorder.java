package io.llamaorch.orchestratord.server.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Netty's leak detector for the tests' JVM: keeps what it finds, whatever the log's level. Installed by the system
 * property {@code io.netty.customResourceLeakDetector} in {@code server/pom.xml}.
 */
public final class LeakRecorder<T> extends ResourceLeakDetector<T> {
    private static final Queue<String> FOUND = new ConcurrentLinkedQueue<>();
    private static final int ROUNDS = 3;
    private static final int BUFFERS = 64;

    public LeakRecorder(Class<?> type, int samplingInterval) {
        super(type, samplingInterval);
    }

    /** What Netty asks for besides; the last parameter means nothing any more. */
    public LeakRecorder(Class<?> type, int samplingInterval, long ignored) {
        super(type, samplingInterval);
    }

    @Override
    protected boolean needReport() {
        return true;
    }

    @Override
    protected void reportTracedLeak(String resourceType, String records) {
        FOUND.add(resourceType + records);
    }

    @Override
    protected void reportUntracedLeak(String resourceType) {
        FOUND.add(resourceType);
    }

    /** Has garbage collected and looked at; then nothing may have leaked so far in this JVM. */
    static void assertNone() {
        look();
        assertThat(FOUND).as("buffers that were never released").isEmpty();
    }

    /** Takes what was found out of the record. */
    static String takeFound() {
        look();
        String found = String.join("\n", FOUND);
        FOUND.clear();
        return found;
    }

    /** A detector looks at its queue of dead buffers when the next one is made. */
    private static void look() {
        for (int round = 0; round < ROUNDS; round++) {
            System.gc();
            for (int i = 0; i < BUFFERS; i++) {
                ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(16);
                buffer.release();
            }
        }
    }
}
