package io.llamaorch.orchestratord.server.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GpuFaultsTest {
    private static final long MS = 1_000_000;
    private static final List<String> BOTH = List.of("GPU-a", "GPU-b");
    private static final long START = -5 * MS;

    private final List<String> counted = new ArrayList<>();
    private final GpuFaults faults = new GpuFaults(10, counted::add);

    @Test
    void shouldKeepAFaultUntilTheGpuHasBeenWellForLongEnough() {
        faults.bad("GPU-b", "Xid 79", START);
        faults.well("GPU-b", START + 10 * MS - 1);
        assertThat(faults.among(BOTH, START - 1)).isEqualTo("Xid 79");
        faults.well("GPU-a", START + 10 * MS);
        assertThat(faults.among(BOTH, START - 1)).isEqualTo("Xid 79");
        faults.well("GPU-b", START + 10 * MS);
        assertThat(faults.among(BOTH, START - 1)).isNull();
    }

    @Test
    void shouldNameTheFirstReasonAndCountOnceWhileMoreOfItComes() {
        faults.bad("GPU-b", "Xid 48", START);
        faults.bad("GPU-b", "Xid 79", START + 8 * MS);
        faults.well("GPU-b", START + 17 * MS);
        assertThat(faults.among(BOTH, START - 1)).isEqualTo("Xid 48");
        faults.well("GPU-b", START + 18 * MS);
        assertThat(faults.among(BOTH, START - 1)).isNull();
        assertThat(counted).containsExactly("GPU-b");

        faults.bad("GPU-b", "Xid 95", START + 20 * MS);
        assertThat(faults.among(BOTH, START - 1)).isEqualTo("Xid 95");
        assertThat(counted).containsExactly("GPU-b", "GPU-b");
    }

    @Test
    void shouldNotTakeAnOlderSampleForTheEndOfAFault() {
        GpuFaults hasty = new GpuFaults(0, counted::add);
        hasty.bad("GPU-a", "Xid 79", START);
        hasty.bad("GPU-a", "lost", START - 5);
        hasty.well("GPU-a", START - 1);
        assertThat(hasty.among(BOTH, START - 1)).isEqualTo("Xid 79");
        hasty.well("GPU-a", START);
        assertThat(hasty.among(BOTH, START - 1)).isNull();
    }

    @Test
    void shouldHoldNothingAgainstAReplicaThatWasBeforeItsStart() {
        faults.bad("GPU-b", "Xid 79", START);
        assertThat(faults.among(BOTH, START)).isNull();
        assertThat(faults.among(List.of("GPU-a"), START - 1)).isNull();
        faults.bad("GPU-b", "lost", START + 1);
        assertThat(faults.among(BOTH, START)).isEqualTo("Xid 79");
    }
}
