package io.llamaorch.orchestratord.server.http;

/**
 * What one client connection may cost.
 *
 * <table>
 * <caption>Limits, defaults and the answer to what passes them</caption>
 * <tr><th>limit</th><th>default</th><th>answer</th></tr>
 * <tr><td>requestLineBytesMax</td><td>8 KiB, without CRLF</td><td>414, close</td></tr>
 * <tr><td>headerLineBytesMax</td><td>8 KiB, without CRLF</td><td>431, close</td></tr>
 * <tr><td>headerBytesMax</td><td>16 KiB, all lines with their CRLFs</td><td>431, close</td></tr>
 * <tr><td>headerCountMax</td><td>64</td><td>431, close</td></tr>
 * <tr><td>bodyBytesMax</td><td>1 MiB, payload; a route may set its own</td><td>413</td></tr>
 * <tr><td>discardBytesMax</td><td>64 KiB of a refused body read to keep the connection</td><td>close</td></tr>
 * <tr><td>heldBytesMax</td><td>64 KiB pipelined behind an unanswered request</td><td>the socket is not read</td></tr>
 * <tr><td>lingerBytesMax</td><td>1 MiB read and dropped after the last answer</td><td>reset</td></tr>
 * <tr><td>idleMs</td><td>75 s without a byte between requests</td><td>close</td></tr>
 * <tr><td>headMs</td><td>10 s from a head's first byte to its end</td><td>408, close</td></tr>
 * <tr><td>bodyMs</td><td>30 s from a head's end to its body's end</td><td>408, close</td></tr>
 * <tr><td>lingerMs</td><td>2 s for the client to read the last answer</td><td>close</td></tr>
 * <tr><td>connectionsMax</td><td>10,000 over all loops</td><td>503, close</td></tr>
 * <tr><td>requestsPerConnectionMax</td><td>0: no limit</td><td>{@code Connection: close} on the last</td></tr>
 * </table>
 *
 * <p>Spans are kept in ticks of {@link LoopTicks}: each may last up to one tick longer.
 */
public record HttpLimits(
        int requestLineBytesMax,
        int headerLineBytesMax,
        int headerBytesMax,
        int headerCountMax,
        int bodyBytesMax,
        int discardBytesMax,
        int heldBytesMax,
        int lingerBytesMax,
        long idleMs,
        long headMs,
        long bodyMs,
        long lingerMs,
        int connectionsMax,
        int requestsPerConnectionMax) {

    /** The defaults of the table. */
    public static final HttpLimits DEFAULT = new HttpLimits(
            8 << 10, 8 << 10, 16 << 10, 64, 1 << 20, 64 << 10, 64 << 10, 1 << 20, 75_000, 10_000, 30_000, 2_000, 10_000,
            0);

    public HttpLimits {
        atLeast("requestLineBytesMax", requestLineBytesMax, 64);
        atLeast("headerLineBytesMax", headerLineBytesMax, 64);
        atLeast("headerBytesMax", headerBytesMax, 64);
        atLeast("headerCountMax", headerCountMax, 1);
        atLeast("bodyBytesMax", bodyBytesMax, 0);
        atLeast("discardBytesMax", discardBytesMax, 0);
        atLeast("heldBytesMax", heldBytesMax, 1);
        atLeast("lingerBytesMax", lingerBytesMax, 0);
        atLeast("idleMs", idleMs, 1);
        atLeast("headMs", headMs, 1);
        atLeast("bodyMs", bodyMs, 1);
        atLeast("lingerMs", lingerMs, 1);
        atLeast("connectionsMax", connectionsMax, 1);
        atLeast("requestsPerConnectionMax", requestsPerConnectionMax, 0);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " " + value + " is below " + least);
        }
    }
}
