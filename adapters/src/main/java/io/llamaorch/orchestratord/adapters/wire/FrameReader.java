package io.llamaorch.orchestratord.adapters.wire;

import io.llamaorch.orchestratord.adapters.EngineFailure;
import io.llamaorch.orchestratord.adapters.EngineUsage;
import org.jspecify.annotations.Nullable;

/**
 * What one engine's event stream means: all that {@link StreamCall} does not know. One object a call, owned by the call's
 * loop; the scanner is the loop's and shared by its calls.
 */
public interface FrameReader {

    /** How the engine is named in messages, such as {@code llama-server}. */
    String engine();

    /** The fast path, of the calling thread. */
    FrameScanner scanner();

    /**
     * Where the text begins that the sink has not seen, in a frame that the scanner accepted;
     * {@code textTo} where there is none. Negative: the frame goes the slow path. For engines that repeat all text so far
     * in each frame, and for counting frames.
     */
    default int textFrom(FrameScanner found) {
        return found.textFrom();
    }

    /**
     * The slow path: any frame that the scanner left. Says what it means by {@link StreamCall#text}, {@link
     * StreamCall#end} and {@link StreamCall#fail}; nothing where it means nothing.
     */
    void read(byte[] frame, StreamCall call);

    /** The value of an SSE field {@code error}, which one engine has had; ignored by the others. */
    default void readErrorField(byte[] value, StreamCall call) {}

    /**
     * What the end of the answer means where nothing ended the call before.
     *
     * @param orderly whether the answer ended as its framing says; a body that only the connection's end ends never does
     * @return the usage where the decode is nonetheless complete, null where it broke
     */
    default @Nullable EngineUsage ended(boolean orderly) {
        return null;
    }

    /**
     * The failure that an answer other than an event stream of status 200 stands for.
     *
     * @param body its first {@link StreamCall#PLAIN_BODY_MAX_BYTES} bytes
     */
    EngineFailure refusal(int status, byte[] body);

    /**
     * Another body to send at once in place of the one refused so; null for none. Asked before {@link #refusal}, once a
     * call.
     */
    default @Nullable JsonBody otherBody(int status, byte[] body) {
        return null;
    }
}
