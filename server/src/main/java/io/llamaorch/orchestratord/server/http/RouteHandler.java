package io.llamaorch.orchestratord.server.http;

/** What answers a route's requests; called on the connection's event loop, must not block. */
@FunctionalInterface
public interface RouteHandler {
    /**
     * Answers now, or keeps the exchange and answers later on the same event loop. The body is released when this
     * returns.
     *
     * @throws Exception a defect: the client gets 500 where nothing was answered yet
     */
    void handle(Exchange exchange) throws Exception;
}
