package io.llamaorch.orchestratord.server.contract;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The bytes of an event stream, taken apart. Stricter than what a browser takes: the exact form of STR-1 to STR-5.
 *
 * @param frames events in order
 * @param comments text of the comment lines, without the colon
 * @param problems what is not in the form, one line each
 */
public record SseStream(List<Frame> frames, List<String> comments, List<String> problems) {

    /**
     * One event.
     *
     * @param id its id
     * @param event its name
     * @param data its data line
     */
    public record Frame(long id, String event, String data) {}

    private static final Pattern EVENT =
            Pattern.compile("id: ([1-9][0-9]{0,17})\nevent: ([a-z]+)\ndata: (.*)", Pattern.DOTALL);

    /**
     * Takes a body apart.
     *
     * @param body bytes as read, without the chunks' framing
     * @param complete whether the body was read to its end; else a last frame that is cut off is passed over
     */
    public static SseStream parse(byte[] body, boolean complete) {
        List<String> problems = new ArrayList<>();
        int end = lastFrameEnd(body);
        if (complete && end != body.length) {
            problems.add("STR-1: " + (body.length - end) + " bytes after the last empty line");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body, 0, end))
                    .toString();
        } catch (CharacterCodingException e) {
            problems.add("STR-1: not UTF-8: " + e.getMessage());
            return new SseStream(List.of(), List.of(), problems);
        }
        if (text.indexOf('\r') >= 0) {
            problems.add("STR-1: a carriage return");
        }
        List<Frame> frames = new ArrayList<>();
        List<String> comments = new ArrayList<>();
        int at = 0;
        int index = 0;
        while (at < text.length()) {
            int stop = text.indexOf("\n\n", at);
            parseBlock(text.substring(at, stop), index, frames, comments, problems);
            at = stop + 2;
            index++;
        }
        return new SseStream(List.copyOf(frames), List.copyOf(comments), problems);
    }

    private static void parseBlock(
            String block, int index, List<Frame> frames, List<String> comments, List<String> problems) {
        if (block.startsWith("retry:")) {
            if (index != 0 || !block.equals("retry: 1000")) {
                problems.add("STR-5: block " + index + " is \"" + block + "\"; retry: 1000 stands first and once");
            }
            return;
        }
        if (index == 0) {
            problems.add("STR-5: the stream does not begin with retry: 1000");
        }
        if (block.startsWith(":")) {
            if (block.indexOf('\n') >= 0) {
                problems.add("STR-4: a comment is one line: \"" + block + "\"");
            }
            comments.add(block.substring(1));
            return;
        }
        Matcher event = EVENT.matcher(block);
        if (!event.matches() || event.group(3).indexOf('\n') >= 0) {
            problems.add("STR-2: block " + index + " is not id, event and data: \"" + block + "\"");
            return;
        }
        frames.add(new Frame(Long.parseLong(event.group(1)), event.group(2), event.group(3)));
    }

    private static int lastFrameEnd(byte[] body) {
        for (int i = body.length; i >= 2; i--) {
            if (body[i - 1] == '\n' && body[i - 2] == '\n') {
                return i;
            }
        }
        return 0;
    }
}
