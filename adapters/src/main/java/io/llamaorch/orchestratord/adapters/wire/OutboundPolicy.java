package io.llamaorch.orchestratord.adapters.wire;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the daemon itself may connect to: an allow-list of schemes, hosts and networks. Asked twice for each connection:
 * with the URL before a name is resolved, and with the address before it is connected to. Immutable.
 *
 * <table>
 *   <caption>What an entry admits</caption>
 *   <tr><th>entry</th><th>before resolving</th><th>the address</th></tr>
 *   <tr><td>name ({@code engine-1.example})</td><td>that name</td><td>any but link-local, multicast and unspecified
 *       ones</td></tr>
 *   <tr><td>names below ({@code *.example})</td><td>each name that ends so</td><td>the same</td></tr>
 *   <tr><td>address ({@code 127.0.0.1}, {@code ::1})</td><td>that literal, any name</td><td>that one</td></tr>
 *   <tr><td>network ({@code 10.0.0.0/8})</td><td>literals within it, any name</td><td>those within it</td></tr>
 * </table>
 *
 * <p>A listed name can so be moved by its DNS, but not to the metadata service of a cloud (169.254.0.0/16), unless that
 * network is listed too.
 */
public final class OutboundPolicy {
    private final Set<String> schemes;
    private final Set<String> names = new LinkedHashSet<>();
    private final List<String> suffixes = new ArrayList<>();
    private final List<Network> networks = new ArrayList<>();

    private OutboundPolicy(Collection<String> schemes, Collection<String> entries) {
        Set<String> lower = new LinkedHashSet<>();
        schemes.forEach(s -> lower.add(s.toLowerCase(Locale.ROOT)));
        this.schemes = lower;
        entries.forEach(this::add);
    }

    /**
     * A policy that allows what is listed and nothing else.
     *
     * @param schemes such as {@code http} and {@code https}
     * @param entries hosts, {@code *.} domains, addresses, networks as above
     * @throws IllegalArgumentException where an entry is none of these
     */
    public static OutboundPolicy of(Collection<String> schemes, Collection<String> entries) {
        return new OutboundPolicy(schemes, entries);
    }

    /** A policy that allows the schemes and hosts of these URLs; those without a host are passed over. */
    public static OutboundPolicy exactly(Collection<URI> urls) {
        Set<String> schemes = new LinkedHashSet<>();
        Set<String> hosts = new LinkedHashSet<>();
        for (URI url : urls) {
            if (url.getScheme() != null && url.getHost() != null) {
                schemes.add(url.getScheme());
                hosts.add(url.getHost());
            }
        }
        return new OutboundPolicy(schemes, hosts);
    }

    /** Why {@code url} may not be contacted, as far as is known before its host is resolved; null where it may. */
    public @Nullable String refusal(URI url) {
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if (!schemes.contains(scheme)) {
            return "the outbound policy does not allow scheme '" + scheme + "'";
        }
        String host = bare(url.getHost() == null ? "" : url.getHost());
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        boolean may = literal == null ? isListed(host) || !networks.isEmpty() : isWithin(literal);
        return may ? null : refused(host);
    }

    /** Why {@code address}, to which {@code host} resolved, may not be connected to; null where it may. */
    public @Nullable String refusal(String host, InetAddress address) {
        String name = bare(host);
        if (isWithin(address.getAddress())) {
            return null;
        }
        boolean special = address.isLinkLocalAddress() || address.isMulticastAddress() || address.isAnyLocalAddress();
        return isListed(name) && !special
                ? null
                : "the outbound policy does not allow " + address.getHostAddress() + ", the address of " + name;
    }

    private static String refused(String host) {
        return "the outbound policy does not allow host '" + host + "'";
    }

    private void add(String entry) {
        String text = bare(entry);
        int slash = text.indexOf('/');
        String head = slash < 0 ? text : text.substring(0, slash);
        byte[] address = NetUtil.createByteArrayFromIpAddressString(bare(head));
        if (address != null) {
            networks.add(Network.of(entry, address, slash < 0 ? null : text.substring(slash + 1)));
        } else if (slash >= 0 || text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
            throw new IllegalArgumentException(
                    "'" + entry + "' is no host, domain (*.example), address or network (10.0.0.0/8)");
        } else if (text.startsWith("*.") && text.indexOf('*', 1) < 0 && text.length() > 2) {
            suffixes.add(text.substring(1));
        } else if (text.indexOf('*') >= 0) {
            throw new IllegalArgumentException("'" + entry + "': a star may stand only for all names below a domain");
        } else {
            names.add(text);
        }
    }

    private boolean isListed(String name) {
        return names.contains(name) || suffixes.stream().anyMatch(name::endsWith);
    }

    private boolean isWithin(byte[] address) {
        byte[] plain = unmapped(address);
        return networks.stream().anyMatch(n -> n.holds(plain));
    }

    /** In lower case, without brackets and the root's dot. */
    private static String bare(String host) {
        String text = host.strip().toLowerCase(Locale.ROOT);
        if (text.startsWith("[") && text.endsWith("]")) {
            text = text.substring(1, text.length() - 1);
        }
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    /** An IPv4 address that came as IPv6 ({@code ::ffff:10.0.0.1}) is that IPv4 address. */
    private static byte[] unmapped(byte[] address) {
        try {
            return InetAddress.getByAddress(address).getAddress();
        } catch (UnknownHostException e) {
            return address;
        }
    }

    private static final class Network {
        private final byte[] prefix;
        private final int bits;

        private Network(byte[] prefix, int bits) {
            this.prefix = prefix;
            this.bits = bits;
        }

        static Network of(String entry, byte[] address, @Nullable String length) {
            byte[] plain = unmapped(address);
            int most = plain.length * 8;
            int bits;
            try {
                bits = length == null ? most : Integer.parseInt(length);
            } catch (NumberFormatException e) {
                bits = -1;
            }
            if (bits < 0 || bits > most) {
                throw new IllegalArgumentException("'" + entry + "': a prefix has 0 to " + most + " bits");
            }
            return new Network(plain, bits);
        }

        boolean holds(byte[] address) {
            if (address.length != prefix.length) {
                return false;
            }
            for (int i = 0; i < bits; i++) {
                int mask = 0x80 >> (i & 7);
                if ((address[i >> 3] & mask) != (prefix[i >> 3] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }
}
