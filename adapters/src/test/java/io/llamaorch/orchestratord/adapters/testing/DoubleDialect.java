package io.llamaorch.orchestratord.adapters.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** One engine's wire, as its double speaks it: routes, frames, errors. What all doubles can do is in the base. */
public interface DoubleDialect {
    /** The word for {@code --engine=}. */
    String engine();

    /** Status line and headers of a stream. */
    default byte[] streamHead() {
        return String.join(
                        "\r\n",
                        "HTTP/1.1 200 OK",
                        "server: uvicorn",
                        "content-type: text/event-stream; charset=utf-8",
                        "transfer-encoding: chunked",
                        "",
                        "")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Answers a request. */
    void route(DoubleExchange exchange) throws IOException;

    /** A frame with {@code text}, the inside of a JSON string, perhaps empty. */
    String partial(DoubleStream stream, String text);

    /** All frames of an orderly end. */
    String last(DoubleStream stream);

    /** The frames of an in-band error of that kind; null where this engine has none such. */
    @Nullable
    String inBand(DoubleStream stream, String fault);

    /** Body of an error answer. */
    String error(int status, String type, String message);
}
