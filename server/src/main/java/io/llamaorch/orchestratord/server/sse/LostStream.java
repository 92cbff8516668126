package io.llamaorch.orchestratord.server.sse;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * The answer to a reader whose task was reset by a restart that lost the events before: the terminal event alone, under
 * the id that follows on what the reader has. Keeps nothing.
 */
final class LostStream {
    private static final byte[] END_OF_BODY = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private LostStream() {}

    /**
     * Answers.
     *
     * @param home of the stream; called on its loop
     * @param lastEventId the last event that the reader has, 0 for none
     */
    static void answer(StreamLoop home, ReaderConnection connection, int lastEventId, ApiError error) {
        FrameWriter frames = home.frames();
        frames.retry(home.settings().retryMs());
        ByteBuf head = Unpooled.copiedBuffer(frames.bytes(), 0, frames.length());
        frames.event(lastEventId + 1, "error", StreamJson.error(error));
        ByteBuf event = Unpooled.copiedBuffer(frames.bytes(), 0, frames.length());
        ByteBuf body = Unpooled.wrappedBuffer(head, event, Unpooled.wrappedBuffer(END_OF_BODY));
        if (connection.loop().inEventLoop()) {
            send(connection, body);
        } else {
            connection.loop().execute(() -> send(connection, body));
        }
    }

    private static void send(ReaderConnection connection, ByteBuf body) {
        connection.start();
        ByteBuf bytes = connection.http10() ? StreamReader.unchunked(body) : body;
        if (connection.write(bytes)) {
            connection.finish();
        } else {
            connection.whenDrained(connection::finish);
        }
    }
}
