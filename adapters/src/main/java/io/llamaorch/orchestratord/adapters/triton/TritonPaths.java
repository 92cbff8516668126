package io.llamaorch.orchestratord.adapters.triton;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Where Triton's routes are. */
final class TritonPaths {
    /** The server's name and version. */
    static final String SERVER = "/v2";

    /** All models of the repository. */
    static final String INDEX = "/v2/repository/index";

    private TritonPaths() {}

    /** A model's metadata. */
    static String model(String model) {
        return "/v2/models/" + segment(model);
    }

    /** Whether a model can be used. */
    static String ready(String model) {
        return model(model) + "/ready";
    }

    /** Its streamed answers. */
    static String generate(String model) {
        return model(model) + "/generate_stream";
    }

    /** Loading a model. */
    static String load(String model) {
        return "/v2/repository/models/" + segment(model) + "/load";
    }

    /** Unloading it. */
    static String unload(String model) {
        return "/v2/repository/models/" + segment(model) + "/unload";
    }

    private static String segment(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
