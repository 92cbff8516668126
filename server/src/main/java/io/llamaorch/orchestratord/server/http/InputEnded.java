package io.llamaorch.orchestratord.server.http;

/**
 * The client has closed its side of the connection for writing: the user event by which {@link RequestGate} tells
 * {@link HttpConnection}. A client that has closed the whole connection looks the same until something is written to it.
 */
enum InputEnded {
    /** It has. */
    NOW
}
