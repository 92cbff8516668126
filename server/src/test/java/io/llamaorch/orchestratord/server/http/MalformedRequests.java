package io.llamaorch.orchestratord.server.http;

import java.util.ArrayList;
import java.util.List;

/** Requests that are not HTTP as this daemon takes it, by hand, each with the status that it gets. */
public final class MalformedRequests {
    /**
     * One case.
     *
     * @param status expected status
     * @param bytes Latin-1
     */
    public record Case(int status, String bytes) {
        @Override
        public String toString() {
            String shown = bytes.replace("\r", "\\r")
                    .replace("\n", "\\n")
                    .replace("\t", "\\t")
                    .replace("\0", "\\0");
            return status + " " + (shown.length() > 120 ? shown.substring(0, 120) + "…" : shown);
        }
    }

    private MalformedRequests() {}

    static final String HOST = "Host: h\r\n";

    /** All of them. */
    public static List<Case> all() {
        List<Case> cases = new ArrayList<>();
        requestLines(cases);
        headers(cases);
        framing(cases);
        chunks(cases);
        return cases;
    }

    private static void line(List<Case> cases, int status, String line) {
        cases.add(new Case(status, line + "\r\n" + HOST + "\r\n"));
    }

    private static void requestLines(List<Case> cases) {
        for (String target : List.of(
                "/a\tb",
                "/a\0b",
                "/\u0001",
                "/\u007f",
                "/\u00e9",
                "/a#b",
                "/a\"b",
                "/a<b",
                "/a>b",
                "/a\\b",
                "/a^b",
                "/a`b",
                "/a{b",
                "/a}b",
                "/a|b",
                "livez",
                "*",
                "http:/livez",
                "ftp://h/livez",
                "http://h",
                "http://u@h/livez",
                "http:///livez",
                "http://h:99999x/livez",
                "http://other/livez",
                "//\u00ff")) {
            line(cases, 400, "GET " + target + " HTTP/1.1");
        }
        line(cases, 400, "GET  /livez HTTP/1.1");
        line(cases, 400, "GET /livez  HTTP/1.1");
        line(cases, 400, "GET /livez HTTP/1.1 ");
        line(cases, 400, "GET\t/livez HTTP/1.1");
        line(cases, 400, "GET /livez\tHTTP/1.1");
        line(cases, 400, " GET /livez HTTP/1.1");
        line(cases, 400, "\tGET /livez HTTP/1.1");
        line(cases, 400, "GET /livez");
        line(cases, 400, "GET /livez ");
        line(cases, 400, "GET");
        line(cases, 400, "GET /livez HTTP/1.1x");
        line(cases, 400, "GET /livez HTTP/11");
        line(cases, 400, "GET /livez HTTP/1.");
        line(cases, 400, "GET /livez http/1.1");
        line(cases, 400, "GET /livez HTTP/1.10");
        line(cases, 400, "GET /livez HTTP/ 1.1");
        line(cases, 400, "GET /livez HTTP/1,1");
        line(cases, 400, "GET /livez ICY/1.1");
        line(cases, 400, "GE(T /livez HTTP/1.1");
        line(cases, 400, "G\0T /livez HTTP/1.1");
        line(cases, 400, "\u00c9T /livez HTTP/1.1");
        line(cases, 400, "\r\n\r\n\r\nGET /livez HTTP/1.1");
        line(cases, 400, "\nGET /livez HTTP/1.1");
        line(cases, 400, "\rGET /livez HTTP/1.1");
        line(cases, 400, "POST * HTTP/1.1");
        for (String version : List.of("0.9", "1.2", "1.9", "2.0", "3.0", "9.9")) {
            line(cases, 505, "GET /livez HTTP/" + version);
        }
        cases.add(new Case(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        line(cases, 501, "CONNECT h:443 HTTP/1.1");
        line(cases, 501, "CONNECT /livez HTTP/1.1");
        cases.add(new Case(400, "GET /livez HTTP/1.1\n" + HOST + "\r\n"));
        cases.add(new Case(400, "GET /livez HTTP/1.1\r" + HOST + "\r\n"));
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\r\n" + HOST + "\r\n"));
        cases.add(new Case(400, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"));
        cases.add(new Case(414, "GET /" + "a".repeat(9000) + " HTTP/1.1\r\n" + HOST + "\r\n"));
        cases.add(new Case(414, "G".repeat(9000)));
    }

    private static void header(List<Case> cases, int status, String lines) {
        cases.add(new Case(status, "GET /livez HTTP/1.1\r\n" + HOST + lines + "\r\n\r\n"));
    }

    private static void headers(List<Case> cases) {
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\n\r\n"));
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\nX: y\r\n\r\n"));
        for (String host : List.of(
                "", " ", "a b", "a,b", "a/b", "u@h", "h:", "h:x", "h:123456", "[::1", "[]", "h\u00e9", "h]", "::1")) {
            boolean emptyPort = host.equals("h:") || host.equals("a,b");
            if (!emptyPort) {
                cases.add(new Case(400, "GET /livez HTTP/1.1\r\nHost: " + host + "\r\n\r\n"));
            }
        }
        header(cases, 400, "Host: h");
        header(cases, 400, "host: other");
        header(cases, 400, "X: a\r\n b");
        header(cases, 400, "X: a\r\n\tb");
        header(cases, 400, "X: a\r\n ");
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\n " + HOST + "\r\n"));
        header(cases, 400, "X : a");
        header(cases, 400, "X\t: a");
        header(cases, 400, " X: a");
        header(cases, 400, ": a");
        header(cases, 400, "X");
        header(cases, 400, "X a");
        header(cases, 400, "X(: a");
        header(cases, 400, "X\0: a");
        header(cases, 400, "X\u00e9: a");
        header(cases, 400, "X: a\0b");
        header(cases, 400, "X: a\u0001b");
        header(cases, 400, "X: a\u007fb");
        header(cases, 400, "X: a\rb");
        header(cases, 400, "X: a\nb: c");
        header(cases, 400, "X: a\r\r\nb: c");
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\n" + HOST + "\n"));
        cases.add(new Case(400, "GET /livez HTTP/1.1\r\n" + HOST + "\rX"));
        header(cases, 431, "X: " + "a".repeat(9000));
        header(cases, 431, "X".repeat(9000));
        header(cases, 431, ("X: " + "a".repeat(4000) + "\r\n").repeat(5) + "Y: z");
        header(cases, 431, "X: a\r\n".repeat(64) + "Y: z");
    }

    private static void body(List<Case> cases, int status, String lines, String body) {
        cases.add(new Case(status, "POST /v1/tasks HTTP/1.1\r\n" + HOST + lines + "\r\n\r\n" + body));
    }

    private static final String HIDDEN = "GET /v1/tasks/hidden HTTP/1.1\r\nHost: h\r\n\r\n";

    private static void framing(List<Case> cases) {
        body(cases, 400, "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding: chunked\r\nContent-Length: 0", "0\r\n\r\n" + HIDDEN);
        for (String coding : List.of("xchunked", "gzip", "identity", "chunked1", "x")) {
            body(cases, 501, "Transfer-Encoding: " + coding, "0\r\n\r\n" + HIDDEN);
        }
        for (String coding : List.of(
                "chunked, identity",
                "gzip, chunked",
                "\"chunked\"",
                "chunked,",
                ",chunked",
                "chunked;q=1",
                "",
                "chunked chunked",
                "chunked\u00a0",
                "[chunked]")) {
            body(cases, 400, "Transfer-Encoding: " + coding, "0\r\n\r\n" + HIDDEN);
        }
        body(cases, 400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding : chunked", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding:\u000bchunked", "0\r\n\r\n" + HIDDEN);
        body(cases, 400, "Transfer-Encoding:\r\n chunked", "0\r\n\r\n" + HIDDEN);
        cases.add(new Case(
                400, "POST /v1/tasks HTTP/1.0\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN));
        for (String length : List.of(
                "",
                "+2",
                "-2",
                "0x2",
                "2 2",
                "2,2",
                "2, 2",
                "2;",
                "2.0",
                "1e1",
                "two",
                "\u0662",
                "2\u00a0",
                "\"2\"",
                "9999999999999999999",
                "99999999999999999999999999999999")) {
            body(cases, 400, "Content-Length: " + length, "{}" + HIDDEN);
        }
        body(cases, 400, "Content-Length: 2\r\nContent-Length: 2", "{}" + HIDDEN);
        body(cases, 400, "Content-Length: 2\r\nContent-Length: 3", "{}" + HIDDEN);
        body(cases, 400, "Content-Length : 2", "{}" + HIDDEN);
        body(cases, 413, "Content-Length: 1048577", HIDDEN);
        body(cases, 413, "Content-Length: 999999999999999999", HIDDEN);
        body(cases, 417, "Content-Length: 2\r\nExpect: magic", "{}" + HIDDEN);
        body(cases, 417, "Content-Length: 2\r\nExpect: 100-continue\r\nExpect: more", "{}" + HIDDEN);
    }

    private static void chunks(List<Case> cases) {
        for (String chunked : List.of(
                " 2\r\n{}\r\n0\r\n\r\n",
                "\t2\r\n{}\r\n0\r\n\r\n",
                "\0002\r\n{}\r\n0\r\n\r\n",
                "2 \r\n{}\r\n0\r\n\r\n",
                "2\0\r\n{}\r\n0\r\n\r\n",
                "+2\r\n{}\r\n0\r\n\r\n",
                "-2\r\n{}\r\n0\r\n\r\n",
                "0x2\r\n{}\r\n0\r\n\r\n",
                "\r\n{}\r\n0\r\n\r\n",
                "g\r\n{}\r\n0\r\n\r\n",
                "2\n{}\r\n0\r\n\r\n",
                "2\r{}\r\n0\r\n\r\n",
                "2\r\n{}\n0\r\n\r\n",
                "2\r\n{}0\r\n\r\n",
                "2\r\n{}}\r\n0\r\n\r\n",
                "3\r\n{}\r\n0\r\n\r\n",
                "000000002\r\n{}\r\n0\r\n\r\n",
                "100000000\r\n{}\r\n0\r\n\r\n",
                "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
                "2;a\nb\r\n{}\r\n0\r\n\r\n",
                "2;a\rb\r\n{}\r\n0\r\n\r\n",
                "2;a\0b\r\n{}\r\n0\r\n\r\n",
                "2;a=\u00e9\r\n{}\r\n0\r\n\r\n",
                "2;\r\n{}\r\n0\r\n\r\n",
                "2\r\n{}\r\n0;\r\n\r\n",
                "2;;a\r\n{}\r\n0\r\n\r\n",
                "2;a;\r\n{}\r\n0\r\n\r\n",
                "2;=b\r\n{}\r\n0\r\n\r\n",
                "2;a=\r\n{}\r\n0\r\n\r\n",
                "2;a=;b\r\n{}\r\n0\r\n\r\n",
                "2;a=b=c\r\n{}\r\n0\r\n\r\n",
                "2; a\r\n{}\r\n0\r\n\r\n",
                "2;a b\r\n{}\r\n0\r\n\r\n",
                "2;a =b\r\n{}\r\n0\r\n\r\n",
                "2;a=\"b\r\n{}\r\n0\r\n\r\n",
                "2;a=\"b\"c\r\n{}\r\n0\r\n\r\n",
                "2;a=\"b\\\"\r\n{}\r\n0\r\n\r\n",
                "2;a=\"\u00e9\"\r\n{}\r\n0\r\n\r\n",
                "2;" + "a".repeat(257) + "\r\n{}\r\n0\r\n\r\n",
                ("1;a=\"" + "b".repeat(250) + "\"\r\na\r\n").repeat(17) + "0\r\n\r\n",
                "2\r\n{}\r\n0\n\r\n",
                "2\r\n{}\r\n0\r\n\n",
                "2\r\n{}\r\n0\r\nA\r\n\r\n",
                "2\r\n{}\r\n0\r\nA : b\r\n\r\n",
                "2\r\n{}\r\n0\r\n A: b\r\n\r\n",
                "2\r\n{}\r\n0\r\nA: b\nC: d\r\n\r\n",
                "2\r\n{}\r\n0\r\nA: b\0\r\n\r\n",
                "2\r\n{}\r\n0\r\n: b\r\n\r\n",
                "2\r\n{}\r\n0\r\n" + "A: b\r\n".repeat(17) + "\r\n",
                "2\r\n{}\r\n0\r\nA: " + "b".repeat(4100) + "\r\n\r\n")) {
            body(cases, 400, "Transfer-Encoding: chunked", chunked + HIDDEN);
        }
        body(cases, 413, "Transfer-Encoding: chunked", "100001\r\n" + "a".repeat(0x100001) + "\r\n0\r\n\r\n" + HIDDEN);
    }
}
