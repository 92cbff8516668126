package io.llamaorch.orchestratord.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One answer as a client reads it.
 *
 * @param status status code
 * @param head status line and headers
 * @param body body by Content-Length
 */
record Answer(int status, String head, String body) {
    /** The value of a header that must be there once. */
    String header(String name) {
        String found = null;
        for (String line : head.split("\r\n", -1)) {
            if (line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ": ")) {
                if (found != null) {
                    throw new AssertionError(name + " twice in " + head);
                }
                found = line.substring(name.length() + 2);
            }
        }
        if (found == null) {
            throw new AssertionError("no " + name + " in " + head);
        }
        return found;
    }

    boolean closes() {
        return head.contains("\r\nConnection: close\r\n");
    }

    /** Splits what one connection sent; answers to HEAD cannot be told from this and must not be in it. */
    static List<Answer> parse(String bytes) {
        List<Answer> answers = new ArrayList<>();
        int at = 0;
        while (at < bytes.length()) {
            int end = bytes.indexOf("\r\n\r\n", at);
            if (!bytes.startsWith("HTTP/1.1 ", at) || end < 0) {
                throw new AssertionError("not an answer at " + at + ": " + bytes);
            }
            String head = bytes.substring(at, end + 2);
            int status = Integer.parseInt(head.substring(9, 12));
            at = end + 4;
            if (status == 100) {
                continue;
            }
            int length = status == 204 ? 0 : Integer.parseInt(new Answer(status, head, "").header("Content-Length"));
            answers.add(new Answer(status, head, bytes.substring(at, at + length)));
            at += length;
        }
        return answers;
    }
}
