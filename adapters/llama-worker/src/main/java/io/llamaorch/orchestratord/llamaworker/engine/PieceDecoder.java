package io.llamaorch.orchestratord.llamaworker.engine;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Bytes of tokens to text in whole characters: a character that is cut waits for the next token. Bytes that are no UTF-8
 * become U+FFFD. One decode's; owned by the decode thread.
 */
final class PieceDecoder {
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer in = ByteBuffer.allocate(64);
    private CharBuffer out = CharBuffer.allocate(64);

    /** Whole characters that {@code piece} completes, appended to {@code text}. */
    void decode(byte[] piece, StringBuilder text) {
        if (in.remaining() < piece.length) {
            in = ByteBuffer.allocate(in.position() + 2 * piece.length).put(in.flip());
        }
        in.put(piece).flip();
        drain(text, false);
        in.compact();
    }

    /** What is left of a cut character, as U+FFFD. */
    void finish(StringBuilder text) {
        in.flip();
        drain(text, true);
        in.clear();
    }

    /** Whether a character is cut. */
    boolean isWithinCharacter() {
        return in.position() > 0;
    }

    private void drain(StringBuilder text, boolean last) {
        if (out.capacity() < in.remaining()) {
            out = CharBuffer.allocate(2 * in.remaining());
        }
        CoderResult result = utf8.decode(in, out, last);
        assert result.isUnderflow() : "a character for each byte is room enough";
        text.append(out.flip());
        out.clear();
    }
}
