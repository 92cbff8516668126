package io.llamaorch.orchestratord.server.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Where HTTP is served.
 *
 * @param host IP address or name; {@code 0.0.0.0} or {@code ::} for all interfaces
 * @param port 0 … 65535; 0 lets the system choose
 */
public record ListenAddress(String host, int port) {

    /** Of {@code host:port}, {@code [v6]:port} or {@code :port} (all interfaces); null where it is none of these. */
    static @Nullable ListenAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            return null;
        }
        OptionalLong port = Words.parseLong(text.substring(colon + 1));
        if (port.isEmpty() || port.getAsLong() < 0 || port.getAsLong() > 65_535) {
            return null;
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
            if (literal(host) == null) {
                return null;
            }
        } else if (host.indexOf(':') >= 0 || !hostName(host)) {
            return null;
        }
        return new ListenAddress(host.isEmpty() || host.equals("*") ? "0.0.0.0" : host, (int) port.getAsLong());
    }

    /** Whether only this machine can reach it. A name other than {@code localhost} counts as reachable. */
    public boolean isLoopback() {
        if (host.equals("localhost")) {
            return true;
        }
        InetAddress address = literal(host);
        return address != null && address.isLoopbackAddress();
    }

    /** The address to bind; a name is resolved now, {@code localhost} never needs a resolver. */
    public InetSocketAddress toSocketAddress() {
        InetAddress address = literal(host.equals("localhost") ? "127.0.0.1" : host);
        return address == null ? new InetSocketAddress(host, port) : new InetSocketAddress(address, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    private static boolean hostName(String host) {
        if (host.equals("*") || host.isEmpty()) {
            return true;
        }
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            boolean ok =
                    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
            if (!ok) {
                return false;
            }
        }
        boolean digits = host.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
        return host.length() <= 253 && (!digits || literal(host) != null);
    }

    private static @Nullable InetAddress literal(String text) {
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
