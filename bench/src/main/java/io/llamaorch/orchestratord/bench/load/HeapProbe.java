package io.llamaorch.orchestratord.bench.load;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import javax.management.JMException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Heap bytes that all threads of another JVM have allocated since it started.
 *
 * <p>By the attach API and JMX: {@code ThreadMXBean.getTotalThreadAllocatedBytes} (JDK 21 and later) counts exactly, with
 * threads that have ended and whatever the collector did. Asking costs the other JVM some ten kilobytes.
 */
final class HeapProbe implements AutoCloseable {
    private final JMXConnector connector;
    private final MBeanServerConnection server;
    private final ObjectName threads;

    private HeapProbe(JMXConnector connector, MBeanServerConnection server, ObjectName threads) {
        this.connector = connector;
        this.server = server;
        this.threads = threads;
    }

    /** Attaches to a JVM of the same user. */
    @SuppressWarnings("BanJNDI") // JMX to a process that this bench has started
    static HeapProbe attach(long pid) throws IOException {
        try {
            VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
            String address;
            try {
                address = machine.startLocalManagementAgent();
            } finally {
                machine.detach();
            }
            JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(address));
            return new HeapProbe(
                    connector, connector.getMBeanServerConnection(), new ObjectName("java.lang:type=Threading"));
        } catch (AttachNotSupportedException | JMException e) {
            throw new IOException("cannot attach to process " + pid + ": " + e.getMessage(), e);
        }
    }

    @SuppressWarnings("BanJNDI") // as above
    long allocatedBytes() throws IOException {
        try {
            return (Long) server.getAttribute(threads, "TotalThreadAllocatedBytes");
        } catch (JMException e) {
            throw new IOException("the other JVM does not count allocated bytes: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}
