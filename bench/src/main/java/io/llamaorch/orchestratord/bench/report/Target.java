package io.llamaorch.orchestratord.bench.report;

/**
 * Something that is measured.
 *
 * @param name as it stands in the tables
 * @param port on the loopback address
 * @param pid its process; descendants are measured with it
 */
record Target(String name, int port, long pid) {
    static final String DIRECT = "engine alone";
    static final String NGINX = "nginx";
    static final String HAPROXY = "HAProxy";
    static final String DAEMON = "orchestratord";

    boolean daemon() {
        return name.equals(DAEMON);
    }
}
