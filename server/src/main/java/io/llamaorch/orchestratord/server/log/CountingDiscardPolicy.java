package io.llamaorch.orchestratord.server.log;

import java.util.concurrent.atomic.LongAdder;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.async.AsyncQueueFullPolicy;
import org.apache.logging.log4j.core.async.EventRoute;

/** Full ring: the event is dropped and counted. Made by log4j by name ({@code log4j2.component.properties}). */
public final class CountingDiscardPolicy implements AsyncQueueFullPolicy {
    private static final LongAdder DROPPED = new LongAdder();

    /** Made by log4j. */
    public CountingDiscardPolicy() {}

    /** Events dropped since the start of the process. */
    static long dropped() {
        return DROPPED.sum();
    }

    @Override
    public EventRoute getRoute(long backgroundThreadId, Level level) {
        DROPPED.increment();
        return EventRoute.DISCARD;
    }
}
