package io.llamaorch.orchestratord.adapters.testing;

import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How one answer of the double goes: defaults of the process, overridden by markers in the prompt.
 *
 * <pre>
 *   [[fault=KIND@N]]   before token N: close rst stall garbage inband_error oldstyle_error eof_no_terminal midutf8
 *                      and the dialect's own; at once: http400 http401 http429 http500
 *                      http503 and the dialect's own
 *   [[split=1]] [[split=3,5]]   bytes per write, the list over and over
 *   [[batch=4]]        frames per chunk
 *   [[ttfh=ms]] [[ttft=ms]] [[pace=ms]]   to the head, to the first token, between tokens
 *   [[tokens=n]]       ends by itself (eos) after n tokens
 *   [[empty=n]]        each n-th frame without text before it
 *   [[ping=1]]         a comment before each frame
 *   [[cutchars=1]]     characters past ASCII cut over two frames (escaped halves, raw bytes)
 *   [[hold=1]]         stays open after the last frame until the client closes
 *   [[lasttext=1]]     the last token rides on the finish frame, where the engine does that
 *   [[chunk=2]]        tokens a frame
 *   [[special=n]]      a special token before each n-th (TGI)
 *   [[progress=1]]     a progress frame first (llama-server)
 * </pre>
 */
public final class DoubleScript {
    private static final Pattern MARKER = Pattern.compile("\\[\\[([a-z_]+)=([^\\]]*)]]");

    @Nullable
    String fault;

    int faultAt;
    int[] split = {};
    int batch = 1;
    double headMs;
    double firstMs;
    double paceMs;
    int tokens = -1;
    int emptyEvery;
    boolean ping;
    boolean cutChars;
    boolean hold;
    boolean lastText;
    int chunk = 1;
    boolean progress;
    int specialEvery;
    /** What the request asked for, by path; set by the dialect that wants to know. */
    Map<String, String> asked = Map.of();
    /** Whether the request asked for the usage; set by the dialect. */
    boolean usage;

    /** Whether that switch is on. */
    boolean is(String name) {
        return name.equals("progress") ? progress : name.equals("lasttext") && lastText;
    }

    DoubleScript copy() {
        DoubleScript c = new DoubleScript();
        c.fault = fault;
        c.faultAt = faultAt;
        c.split = split;
        c.batch = batch;
        c.headMs = headMs;
        c.firstMs = firstMs;
        c.paceMs = paceMs;
        c.tokens = tokens;
        c.emptyEvery = emptyEvery;
        c.ping = ping;
        c.cutChars = cutChars;
        c.hold = hold;
        c.lastText = lastText;
        c.chunk = chunk;
        c.progress = progress;
        c.specialEvery = specialEvery;
        return c;
    }

    DoubleScript with(String prompt) {
        DoubleScript c = copy();
        Matcher m = MARKER.matcher(prompt);
        while (m.find()) {
            c.set(m.group(1), m.group(2));
        }
        return c;
    }

    /** Sets one knob; an unknown one or a bad value is told of by an exception. */
    void set(String name, String value) {
        switch (name) {
            case "fault" -> {
                int at = value.indexOf('@');
                fault = value.isEmpty() || value.equals("none") ? null : at < 0 ? value : value.substring(0, at);
                faultAt = at < 0 ? 0 : Integer.parseInt(value.substring(at + 1));
            }
            case "split" ->
                split = value.isEmpty()
                        ? new int[0]
                        : Arrays.stream(value.split(",", -1))
                                .mapToInt(Integer::parseInt)
                                .toArray();
            case "batch" -> batch = Math.max(1, Integer.parseInt(value));
            case "ttfh" -> headMs = Double.parseDouble(value);
            case "ttft" -> firstMs = Double.parseDouble(value);
            case "pace" -> paceMs = Double.parseDouble(value);
            case "tokens" -> tokens = Integer.parseInt(value);
            case "empty" -> emptyEvery = Integer.parseInt(value);
            case "ping" -> ping = !value.equals("0");
            case "cutchars" -> cutChars = !value.equals("0");
            case "lasttext" -> lastText = !value.equals("0");
            case "chunk" -> chunk = Math.max(1, Integer.parseInt(value));
            case "special" -> specialEvery = Integer.parseInt(value);
            case "progress" -> progress = !value.equals("0");
            case "hold" -> hold = !value.equals("0");
            default -> throw new IllegalArgumentException("no such knob: " + name);
        }
    }
}
