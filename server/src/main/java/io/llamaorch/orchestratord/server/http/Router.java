package io.llamaorch.orchestratord.server.http;

import io.netty.handler.codec.http.HttpMethod;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The route table: exact paths and paths with one {@code {id}} segment.
 *
 * <p>A path is compared after strict percent-decoding and never normalised: {@code ..}, {@code //}, a trailing slash, an
 * encoded slash or a malformed escape match nothing. Matching a path without escapes allocates nothing. Immutable.
 */
public final class Router {
    private static final String PARAMETER = "{id}";

    /** One path and the methods it has. */
    static final class Path {
        private final String prefix;
        private final @Nullable String suffix;
        private final List<Route> routes;
        private final String allow;

        Path(String template, List<Route> routes) {
            int parameter = template.indexOf(PARAMETER);
            this.prefix = parameter < 0 ? template : template.substring(0, parameter);
            this.suffix = parameter < 0 ? null : template.substring(parameter + PARAMETER.length());
            this.routes = List.copyOf(routes);
            Set<String> methods = new TreeSet<>();
            for (Route route : routes) {
                methods.add(route.method().name());
                if (route.method().equals(HttpMethod.GET)) {
                    methods.add("HEAD");
                }
            }
            methods.add("OPTIONS");
            this.allow = String.join(", ", methods);
        }

        /** Value of {@code Allow}. */
        String allow() {
            return allow;
        }

        /** The method's route, or null; HEAD finds GET's. */
        @Nullable
        Route route(HttpMethod method) {
            HttpMethod wanted = method.equals(HttpMethod.HEAD) ? HttpMethod.GET : method;
            for (int i = 0; i < routes.size(); i++) {
                Route route = routes.get(i);
                if (route.method().equals(wanted)) {
                    return route;
                }
            }
            return null;
        }

        boolean matches(String path) {
            if (suffix == null) {
                return path.equals(prefix);
            }
            int from = prefix.length();
            int to = path.length() - suffix.length();
            if (to <= from || !path.startsWith(prefix) || !path.endsWith(suffix)) {
                return false;
            }
            int slash = path.indexOf('/', from);
            if (slash >= 0 && slash < to) {
                return false;
            }
            boolean dots =
                    path.charAt(from) == '.' && (to - from == 1 || (to - from == 2 && path.charAt(from + 1) == '.'));
            return !dots;
        }

        /** The {@code {id}} of a path that matches, or empty where there is none. */
        String parameter(String path) {
            return suffix == null ? "" : path.substring(prefix.length(), path.length() - suffix.length());
        }
    }

    private final Path[] paths;
    private final String allow;

    /**
     * A table of these routes.
     *
     * @throws IllegalArgumentException for a template without a leading slash or with two parameters, or two routes of
     *     one method and template
     */
    public Router(List<Route> routes) {
        Map<String, List<Route>> byTemplate = new LinkedHashMap<>();
        Set<String> methods = new TreeSet<>();
        for (Route route : routes) {
            String template = route.template();
            int parameter = template.indexOf('{');
            if (!template.startsWith("/") || (parameter >= 0 && parameter != template.lastIndexOf(PARAMETER))) {
                throw new IllegalArgumentException("route template " + template);
            }
            List<Route> same = byTemplate.computeIfAbsent(template, key -> new ArrayList<>());
            for (Route other : same) {
                if (other.method().equals(route.method())) {
                    throw new IllegalArgumentException("two routes for " + route.method() + " " + template);
                }
            }
            same.add(route);
            methods.add(route.method().name());
            if (route.method().equals(HttpMethod.GET)) {
                methods.add("HEAD");
            }
        }
        methods.add("OPTIONS");
        allow = String.join(", ", methods); // alphabetical, as the contract has it
        paths = byTemplate.entrySet().stream()
                .map(entry -> new Path(entry.getKey(), entry.getValue()))
                .toArray(Path[]::new);
    }

    /** Each route as method and template, such as {@code GET /v1/tasks/{id}}. */
    public List<String> operations() {
        List<String> operations = new ArrayList<>();
        for (Path path : paths) {
            for (Route route : path.routes) {
                operations.add(route.method().name() + " " + route.template());
            }
        }
        return operations;
    }

    /** Every method of the table: {@code Allow} of {@code OPTIONS *}. */
    String allow() {
        return allow;
    }

    /** The path in the table, or null. */
    @Nullable
    Path find(String path) {
        for (Path candidate : paths) {
            if (candidate.matches(path)) {
                return candidate;
            }
        }
        return null;
    }

    /**
     * The path of a request target: from {@code offset} up to the query, percent-decoded.
     *
     * @return null where the escapes are malformed, encode a slash or a control character, or are not UTF-8
     */
    static @Nullable String path(String target, int offset) {
        int query = target.indexOf('?', offset);
        int end = query < 0 ? target.length() : query;
        int escape = target.indexOf('%', offset);
        if (escape >= 0 && escape < end) {
            return decode(target, offset, end);
        }
        return offset == 0 && end == target.length() ? target : target.substring(offset, end);
    }

    private static @Nullable String decode(String target, int from, int to) {
        byte[] bytes = new byte[to - from];
        int length = 0;
        for (int i = from; i < to; i++) {
            int c = target.charAt(i);
            if (c == '%') {
                if (i + 2 >= to) {
                    return null;
                }
                int high = HttpBytes.HEX[target.charAt(i + 1) & 0xff];
                int low = HttpBytes.HEX[target.charAt(i + 2) & 0xff];
                c = high << 4 | low;
                if (high < 0 || low < 0 || c == '/' || c == '\\' || c < ' ' || c == 127) {
                    return null;
                }
                i += 2;
            }
            bytes[length++] = (byte) c;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
