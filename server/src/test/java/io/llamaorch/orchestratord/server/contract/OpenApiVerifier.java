package io.llamaorch.orchestratord.server.contract;

import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.contract.OpenApiDocuments.Located;
import io.llamaorch.orchestratord.server.contract.SseStream.Frame;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/**
 * Compares exchanges with {@code contracts/openapi/data.yaml} and {@code control.yaml}: route, method, status, headers,
 * content type, body and event stream, and what must agree between them. Safe on every thread.
 */
public final class OpenApiVerifier {

    private static final Set<String> METHODS = Set.of("get", "head", "post", "put", "patch", "delete", "options");

    /** Header names of HTTP itself that need no entry in the documents. */
    private static final Set<String> STANDARD_HEADERS = Set.of(
            "cache-control", "connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding");

    private static final Pattern SANE_CORRELATION_ID = Pattern.compile("[!-~]{1,128}");
    private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

    private final OpenApiDocuments documents;
    private final Map<String, Located> routes = new TreeMap<>();
    private final Located unrouted;
    private final Coverage coverage;

    private OpenApiVerifier(OpenApiDocuments documents) {
        this.documents = documents;
        for (String name : documents.names()) {
            Located paths = documents.child(documents.root(name), "paths");
            if (paths != null) {
                for (String path : paths.node().propertyNames()) {
                    routes.put(path, required(documents.child(paths, path)));
                }
            }
        }
        this.unrouted = required(documents.child(documents.root("common"), "x-unrouted-responses"));
        this.coverage = new Coverage(documentedAnswers());
    }

    /** A verifier of the documents on the class path. */
    public static OpenApiVerifier load() {
        return new OpenApiVerifier(OpenApiDocuments.load());
    }

    /** Which documented answers were seen. */
    public Coverage coverage() {
        return coverage;
    }

    private Set<String> documentedAnswers() {
        Set<String> answers = new TreeSet<>();
        routes.forEach((path, item) -> {
            for (String method : documentedMethods(item)) {
                Located operation = required(documents.child(item, method.toLowerCase(Locale.ROOT)));
                for (String status :
                        required(documents.child(operation, "responses")).node().propertyNames()) {
                    answers.add(method + " " + path + " " + status);
                }
            }
        });
        unrouted.node().propertyNames().forEach(status -> answers.add("* " + status));
        return answers;
    }

    private static Set<String> documentedMethods(Located pathItem) {
        Set<String> methods = new TreeSet<>();
        for (String member : pathItem.node().propertyNames()) {
            if (METHODS.contains(member)) {
                methods.add(member.toUpperCase(Locale.ROOT));
            }
        }
        return methods;
    }

    /** What is wrong with the exchange, one line each; empty where it keeps the contract. */
    public List<String> verify(Exchange exchange) {
        List<String> problems = new ArrayList<>();
        checkFraming(exchange, problems);
        checkCorrelationId(exchange, problems);
        String path = exchange.malformed() ? null : routeOf(exchange.path());
        Located item = path == null ? null : routes.get(path);
        Located operation = documents.child(item, exchange.method().toLowerCase(Locale.ROOT));
        String status = Integer.toString(exchange.status());

        Located response = operation == null ? null : documents.child(documents.child(operation, "responses"), status);
        if (response != null && !isUnroutedByCode(exchange)) {
            coverage.saw(exchange.method() + " " + path + " " + status);
        } else {
            response = unroutedResponse(exchange, path, item, operation, problems);
            if (response == null) {
                return problems;
            }
            coverage.saw("* " + status);
        }
        checkHeaders(exchange, response, problems);
        JsonNode body = checkContent(exchange, response, problems);
        if (exchange.status() >= 400 && body != null) {
            checkEnvelope(exchange, body, problems);
        }
        if (item != null && exchange.firstResponseHeader("Allow") != null) {
            checkAllow(exchange, item, problems);
        }
        if (exchange.status() < 300 && path != null && operation != null) {
            checkAgreement(exchange, path, operation, body, problems);
        }
        return problems;
    }

    private @Nullable String routeOf(String path) {
        if (routes.containsKey(path)) {
            return path;
        }
        String[] wanted = path.split("/", -1);
        for (String template : routes.keySet()) {
            String[] parts = template.split("/", -1);
            boolean same = parts.length == wanted.length;
            for (int i = 0; same && i < parts.length; i++) {
                same = parts[i].startsWith("{") ? !wanted[i].isEmpty() : parts[i].equals(wanted[i]);
            }
            if (same) {
                return template;
            }
        }
        return null;
    }

    /** A 400 of the operation and a 400 of the framing share a status; the code tells them apart. */
    private static boolean isUnroutedByCode(Exchange exchange) {
        if (exchange.status() != 400) {
            return false;
        }
        try {
            JsonNode body = OpenApiDocuments.readJson(new String(exchange.body(), StandardCharsets.UTF_8));
            return body.path("code").asString("").equals(ErrorCode.BAD_REQUEST.name());
        } catch (JacksonException e) {
            return false;
        }
    }

    private @Nullable Located unroutedResponse(
            Exchange exchange,
            @Nullable String path,
            @Nullable Located item,
            @Nullable Located operation,
            List<String> problems) {
        int status = exchange.status();
        if (status == 204
                && exchange.method().equals("OPTIONS")
                && exchange.path().equals("*")) {
            return documents.child(
                    documents.child(documents.child(documents.root("common"), "components"), "responses"), "Options");
        }
        Located response = documents.child(unrouted, Integer.toString(status));
        if (response == null) {
            problems.add("status " + status + " is not documented for "
                    + (path == null ? "a path that no document knows" : exchange.method() + " " + path));
            return null;
        }
        if (status == 404 && item != null) {
            problems.add("status 404 is not documented for " + exchange.method() + " " + path);
            return null;
        }
        if (status == 405 && (item == null || operation != null)) {
            problems.add("405 stands for a path that is documented and a method that is not");
            return null;
        }
        return response;
    }

    private static void checkFraming(Exchange exchange, List<String> problems) {
        List<String> lengths = exchange.responseHeader("Content-Length");
        boolean chunked = !exchange.responseHeader("Transfer-Encoding").isEmpty();
        if (lengths.size() > 1 || (chunked && !lengths.isEmpty())) {
            problems.add("HTTP-10: more than one framing of the answer");
        }
        boolean head = exchange.method().equals("HEAD") && !exchange.malformed();
        boolean bodiless = exchange.status() == 204 || exchange.status() == 304;
        if (bodiless && (chunked || !lengths.isEmpty())) {
            problems.add("HTTP-10: a 204 or 304 with Content-Length or Transfer-Encoding");
        }
        if ((head || bodiless) && exchange.body().length > 0) {
            problems.add("HTTP-10: " + exchange.method() + " answered " + exchange.status() + " with a body");
        }
        if (!head && exchange.complete() && lengths.size() == 1) {
            String length = lengths.get(0);
            if (!length.equals(Integer.toString(exchange.body().length))) {
                problems.add("HTTP-10: Content-Length " + length + " before " + exchange.body().length + " bytes");
            }
        }
    }

    private static void checkCorrelationId(Exchange exchange, List<String> problems) {
        List<String> given = exchange.responseHeader("X-Correlation-Id");
        if (given.size() != 1) {
            problems.add("HTTP-20: X-Correlation-Id stands " + given.size() + " times");
            return;
        }
        if (exchange.malformed()) {
            return;
        }
        String due = sane(exchange.requestHeader("X-Correlation-Id"));
        if (due == null && exchange.requestHeader("X-Correlation-Id").isEmpty()) {
            due = sane(exchange.requestHeader("x-request-id"));
        }
        String id = given.get(0);
        if (due != null ? !due.equals(id) : !UUID.matcher(id).matches()) {
            problems.add(
                    "HTTP-21: X-Correlation-Id is " + id + " where " + (due == null ? "a new UUID" : due) + " is due");
        }
    }

    private static @Nullable String sane(List<String> values) {
        return values.size() == 1 && SANE_CORRELATION_ID.matcher(values.get(0)).matches() ? values.get(0) : null;
    }

    private void checkHeaders(Exchange exchange, Located response, List<String> problems) {
        Located headers = documents.child(response, "headers");
        Set<String> documented = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        if (headers != null) {
            for (String name : headers.node().propertyNames()) {
                documented.add(name);
                Located header = required(documents.child(headers, name));
                List<String> values = exchange.responseHeader(name);
                if (values.isEmpty()) {
                    if (header.node().path("required").asBoolean(false)) {
                        problems.add("header " + name + " is missing");
                    }
                } else if (values.size() > 1) {
                    problems.add("header " + name + " stands " + values.size() + " times");
                } else {
                    Located schema = required(documents.child(header, "schema"));
                    for (String problem : documents.validate(schema, StringNode.valueOf(values.get(0)))) {
                        problems.add("header " + name + ": " + values.get(0) + problem);
                    }
                }
            }
        }
        for (Exchange.Header header : exchange.responseHeaders()) {
            if (!documented.contains(header.name())
                    && !STANDARD_HEADERS.contains(header.name().toLowerCase(Locale.ROOT))) {
                problems.add("header " + header.name() + " is not documented for this answer");
            }
        }
    }

    /** Checks type and body; gives the body back where it is JSON. */
    private @Nullable JsonNode checkContent(Exchange exchange, Located response, List<String> problems) {
        Located content = documents.child(response, "content");
        List<String> types = exchange.responseHeader("Content-Type");
        if (content == null) {
            if (exchange.body().length > 0 || !types.isEmpty()) {
                problems.add("no content is documented for this answer");
            }
            return null;
        }
        if (types.size() != 1) {
            problems.add("Content-Type stands " + types.size() + " times");
            return null;
        }
        String type = types.get(0);
        int semicolon = type.indexOf(';');
        String media = (semicolon < 0 ? type : type.substring(0, semicolon)).strip();
        Located mediaType = documents.child(content, media);
        if (mediaType == null) {
            problems.add("Content-Type " + type + " is not documented for this answer");
            return null;
        }
        String charset = type.toLowerCase(Locale.ROOT).replace(" ", "");
        if (charset.contains("charset=") && !charset.contains("charset=utf-8")) {
            problems.add("Content-Type " + type + ": everything is UTF-8");
        }
        if (exchange.method().equals("HEAD") && !exchange.malformed()) {
            return null;
        }
        Located schema = required(documents.child(mediaType, "schema"));
        if (documents.child(schema, "x-sse-events") != null) {
            checkStream(exchange, schema, problems);
            return null;
        }
        if (!media.equals("application/json") || !exchange.complete()) {
            return null;
        }
        return checkJson(exchange.body(), "body", schema, problems);
    }

    private @Nullable JsonNode checkJson(byte[] bytes, String what, Located schema, List<String> problems) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            JsonNode body = OpenApiDocuments.readJson(text);
            for (String problem : documents.validate(schema, body)) {
                problems.add(what + problem);
            }
            return body;
        } catch (CharacterCodingException e) {
            problems.add(what + " is not UTF-8");
        } catch (JacksonException e) {
            problems.add(what + " is not JSON: " + e.getOriginalMessage());
        }
        return null;
    }

    private void checkStream(Exchange exchange, Located schema, List<String> problems) {
        Located events = required(documents.child(schema, "x-sse-events"));
        SseStream stream = SseStream.parse(exchange.body(), exchange.complete());
        problems.addAll(stream.problems());
        StreamRules rules = new StreamRules(lastEventId(exchange));
        for (Frame frame : stream.frames()) {
            Located event = documents.child(events, frame.event());
            if (event == null) {
                problems.add("STR-10: unknown event " + frame.event());
                continue;
            }
            byte[] data = frame.data().getBytes(StandardCharsets.UTF_8);
            JsonNode value = checkJson(data, "event " + frame.id() + " " + frame.event() + " ", event, problems);
            if (value != null) {
                rules.accept(frame, value);
            }
        }
        problems.addAll(rules.finish(exchange.complete()));
    }

    private static long lastEventId(Exchange exchange) {
        List<String> values = exchange.requestHeader("Last-Event-ID");
        return values.isEmpty() || values.get(0).isEmpty() ? 0 : Long.parseLong(values.get(0));
    }

    /** What an error's body and its headers say must be the same. */
    private static void checkEnvelope(Exchange exchange, JsonNode body, List<String> problems) {
        String code = body.path("code").asString("");
        try {
            int due = ErrorCode.valueOf(code).status();
            if (due != exchange.status()) {
                problems.add("ERR-2: " + code + " is a " + due + ", not a " + exchange.status());
            }
        } catch (IllegalArgumentException e) {
            problems.add("ERR-1: unknown code " + code);
        }
        same("ERR-3", "X-Correlation-Id", exchange, body.path("correlation_id").asString(""), problems);
        same("ERR-4", "x-should-retry", exchange, body.path("retriable").toString(), problems);
        JsonNode retryAfter = body.get("retry_after_ms");
        if (retryAfter == null) {
            if (exchange.status() == 429 && body.path("retriable").asBoolean(false)) {
                problems.add("ERR-5: a retriable 429 without retry_after_ms");
            }
            same("ERR-5", "Retry-After", exchange, null, problems);
            same("ERR-5", "X-Backoff-Ms", exchange, null, problems);
        } else {
            long ms = retryAfter.asLong();
            same("ERR-5", "Retry-After", exchange, Long.toString(Math.max(1, (ms + 999) / 1000)), problems);
            if (exchange.firstResponseHeader("X-Backoff-Ms") != null) {
                same("ERR-5", "X-Backoff-Ms", exchange, Long.toString(ms), problems);
            }
        }
    }

    private static void same(
            String rule, String header, Exchange exchange, @Nullable String due, List<String> problems) {
        String given = exchange.firstResponseHeader(header);
        if (given == null ? due != null : !given.equals(due)) {
            problems.add(rule + ": " + header + " is " + given + " where the body asks for " + due);
        }
    }

    private static void checkAllow(Exchange exchange, Located item, List<String> problems) {
        String due = String.join(", ", documentedMethods(item));
        if (!due.equals(exchange.firstResponseHeader("Allow"))) {
            problems.add("HTTP-32: Allow is " + exchange.firstResponseHeader("Allow") + " where " + due + " is due");
        }
    }

    /** What request and answer must agree on: a request that was taken is valid, and ids come back. */
    private void checkAgreement(
            Exchange exchange, String path, Located operation, @Nullable JsonNode body, List<String> problems) {
        Located requestBody = documents.child(operation, "requestBody");
        if (path.equals("/v1/artifacts/{id}") && !exchange.method().equals("OPTIONS")) {
            checkDigest(exchange, problems);
            return;
        }
        if (requestBody != null && isJson(exchange.requestHeader("Content-Type"))) {
            Located content = required(documents.child(requestBody, "content"));
            Located schema = required(documents.child(documents.child(content, "application/json"), "schema"));
            List<String> wrong = new ArrayList<>();
            JsonNode request = checkJson(exchange.requestBody(), "request", schema, wrong);
            wrong.forEach(problem -> problems.add("TSK-1: taken although invalid: " + problem));
            if (request != null && body != null && path.startsWith("/v1/tasks")) {
                checkSameId("task_id", request.path("task_id").asString(""), body, problems);
            }
        }
        if (body != null && path.contains("{id}")) {
            int at = List.of(path.split("/", -1)).indexOf("{id}");
            String id = exchange.path().split("/", -1)[at];
            checkSameId(idMember(path), id, body, problems);
        }
    }

    private static String idMember(String path) {
        return path.startsWith("/v1/tasks") ? "task_id" : path.startsWith("/v1/sessions") ? "session_id" : "pool_id";
    }

    private static boolean isJson(List<String> contentType) {
        return contentType.isEmpty() || contentType.get(0).startsWith("application/json");
    }

    /** ART-1: the id is the digest of what is sent. */
    private static void checkDigest(Exchange exchange, List<String> problems) {
        String id = exchange.path().substring(exchange.path().lastIndexOf('/') + 1);
        same("ART-20", "ETag", exchange, '"' + id + '"', problems);
        if (exchange.method().equals("GET") && exchange.status() == 200 && exchange.complete()) {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(exchange.body());
                if (!id.equals("sha256:" + HexFormat.of().formatHex(digest))) {
                    problems.add("ART-1: the bytes are not those of " + id);
                }
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static void checkSameId(String member, String asked, JsonNode body, List<String> problems) {
        if (!asked.equalsIgnoreCase(body.path(member).asString(""))) {
            problems.add(member + " is " + body.path(member) + " where " + asked + " was asked for");
        }
    }

    private static Located required(@Nullable Located node) {
        if (node == null) {
            throw new IllegalStateException("the documents lack a node that they must have");
        }
        return node;
    }
}
