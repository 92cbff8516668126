package io.llamaorch.orchestratord.adapters.wire;

import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Names of engine hosts to addresses, without blocking a loop: literals at once, names on a virtual thread of their own
 * (the JDK's resolver blocks, and keeps its own cache).
 */
final class HostResolver {
    private HostResolver() {}

    /** Tells {@code answer}, on {@code loop}, the address or why there is none; exactly one of the two is null. */
    static void resolve(
            String host,
            int port,
            EventLoop loop,
            BiConsumer<@Nullable InetSocketAddress, @Nullable UnknownHostException> answer) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(bare);
        if (literal != null) {
            try {
                answer.accept(new InetSocketAddress(InetAddress.getByAddress(bare, literal), port), null);
            } catch (UnknownHostException e) {
                answer.accept(null, e);
            }
            return;
        }
        Thread.ofVirtual().name("resolve-" + bare).start(() -> {
            InetAddress found;
            try {
                found = InetAddress.getByName(bare);
            } catch (UnknownHostException e) {
                loop.execute(() -> answer.accept(null, e));
                return;
            }
            InetSocketAddress address = new InetSocketAddress(found, port);
            loop.execute(() -> answer.accept(address, null));
        });
    }
}
