package io.llamaorch.orchestratord.server.log;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

/**
 * Gathers lines and writes them with one call when the ring is empty or {@value #FLUSH_AT} characters are there. Owned
 * by the log's thread, which alone waits where the output is stuck; an output that fails loses lines, which are counted.
 */
final class StderrAppender extends AbstractAppender {
    private static final int FLUSH_AT = 32_768;

    private final EventLayout layout;
    private final OutputStream out;
    private final StringBuilder lines = new StringBuilder(FLUSH_AT + 8_192);
    private final AtomicLong failedWrites = new AtomicLong();

    StderrAppender(EventLayout layout, OutputStream out) {
        super("stderr", null, null, true, Property.EMPTY_ARRAY);
        this.layout = layout;
        this.out = out;
    }

    long failedWrites() {
        return failedWrites.get();
    }

    @Override
    public synchronized void append(LogEvent event) {
        layout.append(lines, event);
        if (event.isEndOfBatch() || lines.length() >= FLUSH_AT) {
            try {
                out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (IOException e) {
                failedWrites.incrementAndGet();
            }
            lines.setLength(0);
        }
    }
}
