package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import io.llamaorch.orchestratord.contracts.error.ErrorCode;
import io.llamaorch.orchestratord.server.auth.ApiKeys;
import io.llamaorch.orchestratord.server.auth.Scope;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a request is refused for before its body is read, in the order of HTTP-1: 417, 400 and 404 by target, 501 and 405
 * by method, 400, 401 and 403 by key, 406, 415, 411, 413. Routes and identifies the exchange on the way.
 *
 * <p>One for each connection. Owner: the channel's event loop. RFC 9110 §9–§11.
 */
final class RequestChecks {
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    private static final String API_KEY = "X-API-Key";

    private final HttpFront.Loop loop;
    private boolean loopbackPeer = true;
    private int bodyBytesMax;

    RequestChecks(HttpFront.Loop loop) {
        this.loop = loop;
    }

    /** Who is connected; one without an IP address came by a socket of this host. */
    void peer(@Nullable SocketAddress address) {
        loopbackPeer = !(address instanceof InetSocketAddress internet)
                || internet.getAddress().isLoopbackAddress();
    }

    /** Longest body that the request may have, bytes; once it was examined. */
    int bodyBytesMax() {
        return bodyBytesMax;
    }

    /** Why the request is refused; null where it goes on, or where it is answered already ({@code OPTIONS}). */
    @Nullable
    ApiError examine(Exchange current, RequestHead head) {
        HttpRequest request = current.request();
        if (request.decoderResult().isFailure()) {
            current.closeAfterwards();
            return ApiError.of(ErrorCode.BAD_REQUEST, "Malformed HTTP request.");
        }
        if (head.fields().expectOther()) {
            return ApiError.of(ErrorCode.EXPECTATION_FAILED, "Expect names something other than 100-continue.");
        }
        HttpMethod method = request.method();
        String target = request.uri();
        if (target.equals("*")) {
            return allow(current, head.fields(), loop.router().allow());
        }
        String path = Router.path(target, head.pathOffset());
        Router.Path found = path == null ? null : loop.router().find(path);
        if (path == null || found == null) {
            return ApiError.of(ErrorCode.NOT_FOUND, "No such path; see the API's contract for those that exist.");
        }
        if (!METHODS.contains(method.name())) {
            return ApiError.of(ErrorCode.NOT_IMPLEMENTED, "The method is not one that this daemon knows.");
        }
        if (method.equals(HttpMethod.OPTIONS)) {
            return allow(current, head.fields(), found.allow());
        }
        Route route = found.route(method);
        if (route == null) {
            current.addHeader("Allow", found.allow());
            return ApiError.of(
                    ErrorCode.METHOD_NOT_ALLOWED,
                    "This path does not have the method " + method.name() + "; it has " + found.allow() + ".");
        }
        current.routed(route, path, found.parameter(path));
        ApiError denied = authenticate(current, route, head.fields());
        return denied != null ? denied : examineBody(current, route, head.fields());
    }

    /** Answers OPTIONS; a body that cannot be dropped closes the connection behind it. */
    private @Nullable ApiError allow(Exchange current, HeaderFields head, String methods) {
        if (head.chunked() || head.contentLength() > loop.limits().discardBytesMax() || head.expectContinue()) {
            current.closeAfterwards();
        }
        current.addHeader("Allow", methods);
        current.respondEmpty(204);
        return null;
    }

    private @Nullable ApiError authenticate(Exchange current, Route route, HeaderFields head) {
        if (head.credentials() > 1 && route.scope() != Scope.NONE && differ(current)) {
            current.closeAfterwards();
            return ApiError.of(
                    ErrorCode.INVALID_PARAMS,
                    "X-API-Key and Authorization name different keys, or one of them stands twice with different values;"
                            + " send one key.",
                    API_KEY,
                    "differs from another");
        }
        ApiKeys.Result result = loop.keys()
                .authenticate(
                        current.header(API_KEY),
                        current.header(HttpHeaderNames.AUTHORIZATION),
                        loopbackPeer,
                        route.scope());
        return switch (result.outcome()) {
            case GRANTED -> {
                current.identified(result.identity());
                yield null;
            }
            case MISSING ->
                ApiError.of(ErrorCode.UNAUTHORIZED, "No key was given; send X-API-Key or Authorization: Bearer.");
            case WRONG ->
                ApiError.of(
                        ErrorCode.FORBIDDEN,
                        "The key is not known, or none is configured and the peer is not of this host.");
            case OUT_OF_SCOPE ->
                ApiError.of(
                        ErrorCode.FORBIDDEN,
                        "The key lacks the scope " + route.scope().name().toLowerCase(java.util.Locale.ROOT) + ".");
        };
    }

    /** Whether the key fields do not all name the same key: which one counts would be a guess (RFC 6750 §2). */
    private static boolean differ(Exchange current) {
        HttpHeaders headers = current.request().headers();
        List<String> keys = headers.getAll(API_KEY);
        List<String> authorizations = headers.getAll(HttpHeaderNames.AUTHORIZATION);
        if (Set.copyOf(keys).size() > 1 || Set.copyOf(authorizations).size() > 1) {
            return true;
        }
        String bearer = authorizations.isEmpty() ? null : ApiKeys.bearer(authorizations.get(0));
        return bearer != null && !keys.isEmpty() && !bearer.equals(keys.get(0));
    }

    private @Nullable ApiError examineBody(Exchange current, Route route, HeaderFields head) {
        if (!route.answerType().isEmpty()
                && !RequestRules.accepts(current.header(HttpHeaderNames.ACCEPT), route.answerType())) {
            return ApiError.of(
                    ErrorCode.NOT_ACCEPTABLE,
                    "This path answers " + route.answerType() + "; add it to Accept or leave Accept out.",
                    "Accept",
                    route.answerType());
        }
        BodyPolicy policy = route.body();
        boolean hasBody = head.chunked() || head.contentLength() > 0;
        if (policy.kind() == BodyPolicy.Kind.NONE) {
            bodyBytesMax = loop.limits().discardBytesMax();
        } else {
            bodyBytesMax =
                    policy.bytesMax() > 0 ? policy.bytesMax() : loop.limits().bodyBytesMax();
            if (policy.kind() == BodyPolicy.Kind.JSON
                    && !RequestRules.isJson(current.header(HttpHeaderNames.CONTENT_TYPE))) {
                return ApiError.of(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                        "The Content-Type is not application/json in UTF-8; send that, or none.");
            }
            if (policy.kind() == BodyPolicy.Kind.BYTES && !takes(policy, current)) {
                return ApiError.of(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                        "The Content-Type is not one that this path takes; GET /v1/capabilities and the API's contract"
                                + " name them.");
            }
            if (!RequestRules.isIdentity(current.header(HttpHeaderNames.CONTENT_ENCODING))) {
                return ApiError.of(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be sent without a Content-Encoding.");
            }
            if (policy.required() && !head.chunked() && head.contentLength() < 0) {
                if (head.http10()) {
                    current.closeAfterwards();
                }
                return ApiError.of(ErrorCode.LENGTH_REQUIRED, "This path needs a body; send Content-Length.");
            }
        }
        if (hasBody && head.contentLength() > bodyBytesMax) {
            return tooLarge(head.contentLength() + " bytes");
        }
        return takeRoom(current, policy, head);
    }

    private static boolean takes(BodyPolicy policy, Exchange current) {
        String contentType = current.header(HttpHeaderNames.CONTENT_TYPE);
        return RequestRules.isJson(contentType)
                || (!RequestRules.mediaType(contentType).equals("application/json")
                        && policy.types().test(RequestRules.mediaType(contentType)));
    }

    /** A body of unknown length may become the longest. */
    private @Nullable ApiError takeRoom(Exchange current, BodyPolicy policy, HeaderFields head) {
        BodyPolicy.Room room = policy.room();
        if (room == null) {
            return null;
        }
        int bytes = head.chunked() ? bodyBytesMax : (int) Math.max(0, head.contentLength());
        ApiError full = room.take(bytes);
        if (full == null) {
            current.onOver(() -> room.giveBack(bytes));
        }
        return full;
    }

    /** The error for a body that is too long. */
    ApiError tooLarge(String length) {
        return ApiError.of(
                        ErrorCode.PAYLOAD_TOO_LARGE,
                        "The body has " + length + "; this path takes at most " + bodyBytesMax + ", send less.")
                .by("body_bytes");
    }
}
