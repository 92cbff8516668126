package io.llamaorch.orchestratord.server;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * TERM and INT as calls, so that the daemon decides when and with what status it exits: a shutdown hook would leave the
 * JVM with 143.
 *
 * <p>{@code sun.misc.Signal} is the JDK's only API for this (module {@code jdk.unsupported}); by reflection, because the
 * compiler has a warning for it that cannot be turned off.
 */
final class StopSignals {
    private StopSignals() {}

    /** Calls {@code onSignal} on a JVM thread for every TERM and INT; does nothing where the JVM has no such API. */
    static void install(Runnable onSignal) {
        try {
            Class<?> signalType = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            InvocationHandler call = (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                    onSignal.run();
                    return null;
                }
                return switch (method.getName()) {
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> System.identityHashCode(proxy) == System.identityHashCode(arguments[0]);
                    default -> "StopSignals";
                };
            };
            Object handler =
                    Proxy.newProxyInstance(StopSignals.class.getClassLoader(), new Class<?>[] {handlerType}, call);
            for (String name : new String[] {"TERM", "INT"}) {
                Object signal = signalType.getConstructor(String.class).newInstance(name);
                signalType.getMethod("handle", signalType, handlerType).invoke(null, signal, handler);
            }
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            Runtime.getRuntime().addShutdownHook(new Thread(onSignal, "stop"));
        }
    }
}
