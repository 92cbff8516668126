package io.llamaorch.orchestratord.bench.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of a request, with places for ids. Marks: {@code {task_id}} for the task's id, {@code {uuid}} for a fresh one
 * each.
 */
final class RequestTemplate {
    private static final String TASK_ID = "{task_id}";
    private static final String FRESH = "{uuid}";
    private static final String BLANK = "0".repeat(RandomIds.LENGTH);

    private final byte[] bytes;
    private final int[] taskIdAt;
    private final int[] freshAt;

    private RequestTemplate(byte[] bytes, int[] taskIdAt, int[] freshAt) {
        this.bytes = bytes;
        this.taskIdAt = taskIdAt;
        this.freshAt = freshAt;
    }

    /**
     * A POST.
     *
     * @param headers further header lines, each with its CR LF
     */
    static RequestTemplate post(String path, String host, String headers, String body) {
        int bodyBytes = fill(body, new ArrayList<>(), new ArrayList<>()).getBytes(StandardCharsets.UTF_8).length;
        return of("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n" + headers
                + "Content-Length: " + bodyBytes + "\r\n\r\n" + body);
    }

    /** A GET that accepts a stream. */
    static RequestTemplate get(String path, String host, String headers) {
        return of(
                "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/event-stream\r\n" + headers + "\r\n");
    }

    private static RequestTemplate of(String text) {
        List<Integer> taskIds = new ArrayList<>();
        List<Integer> fresh = new ArrayList<>();
        byte[] bytes = fill(text, taskIds, fresh).getBytes(StandardCharsets.UTF_8);
        return new RequestTemplate(
                bytes,
                taskIds.stream().mapToInt(Integer::intValue).toArray(),
                fresh.stream().mapToInt(Integer::intValue).toArray());
    }

    /** The text with blanks for marks; where they begin, in bytes, goes to the lists. */
    private static String fill(String text, List<Integer> taskIds, List<Integer> fresh) {
        StringBuilder filled = new StringBuilder(text.length() + 64);
        int at = 0;
        while (at < text.length()) {
            boolean taskId = text.startsWith(TASK_ID, at);
            if (taskId || text.startsWith(FRESH, at)) {
                (taskId ? taskIds : fresh).add(filled.toString().getBytes(StandardCharsets.UTF_8).length);
                filled.append(BLANK);
                at += (taskId ? TASK_ID : FRESH).length();
            } else {
                filled.append(text.charAt(at++));
            }
        }
        return filled.toString();
    }

    /** One request for the task {@code taskId[0, LENGTH)}. */
    ByteBuf next(ByteBufAllocator allocator, byte[] taskId, RandomIds ids) {
        for (int at : taskIdAt) {
            System.arraycopy(taskId, 0, bytes, at, RandomIds.LENGTH);
        }
        for (int at : freshAt) {
            ids.next(bytes, at);
        }
        return allocator.directBuffer(bytes.length).writeBytes(bytes);
    }
}
