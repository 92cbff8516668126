package io.llamaorch.orchestratord.server.http;

import io.llamaorch.orchestratord.server.auth.Scope;
import io.netty.handler.codec.http.HttpMethod;

/**
 * One line of the route table.
 *
 * @param method GET also answers HEAD
 * @param template path with at most one {@code {id}} segment, such as {@code /v1/tasks/{id}/stream}
 * @param scope what the key must be good for
 * @param body what becomes of the request's body
 * @param answerType media type of the answer: an Accept that rules it out gets 406; empty where Accept is not looked at
 * @param handler what answers
 */
public record Route(
        HttpMethod method, String template, Scope scope, BodyPolicy body, String answerType, RouteHandler handler) {
    private static final String JSON = "application/json";

    public static Route get(String template, Scope scope, RouteHandler handler) {
        return new Route(HttpMethod.GET, template, scope, BodyPolicy.NONE, JSON, handler);
    }

    /** A GET whose answer is an event stream. */
    public static Route events(String template, Scope scope, RouteHandler handler) {
        return new Route(HttpMethod.GET, template, scope, BodyPolicy.NONE, "text/event-stream", handler);
    }

    public static Route post(String template, Scope scope, BodyPolicy body, RouteHandler handler) {
        return new Route(HttpMethod.POST, template, scope, body, JSON, handler);
    }

    public static Route delete(String template, Scope scope, RouteHandler handler) {
        return new Route(HttpMethod.DELETE, template, scope, BodyPolicy.NONE, "", handler);
    }

    /** The same, answered whatever Accept says: what probes and scrapers ask for, and what has no body. */
    public Route forAnyAccept() {
        return new Route(method, template, scope, body, "", handler);
    }
}
