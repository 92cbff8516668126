package io.llamaorch.orchestratord.adapters.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceMaskTest {
    private static final List<GpuDevice> PRESENT =
            List.of(gpu(0, "GPU-aaaa1111"), gpu(1, "GPU-aabb2222"), gpu(3, "GPU-cccc3333"));

    private static GpuDevice gpu(int index, String uuid) {
        return new GpuDevice(
                index,
                uuid,
                null,
                OptionalDouble.empty(),
                null,
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalLong.empty(),
                false,
                OptionalInt.empty());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0                        | 0",
                "0,1                      | 0 1",
                "' 3 , 0 '                | 3 0",
                "GPU-aaaa1111             | 0",
                "GPU-aab,GPU-c            | 1 3",
                "3,GPU-aaa                | 3 0",
                "''                       | ''",
            })
    void shouldNameGpusInTheOrderOfTheMask(String mask, String indices) {
        DeviceMask resolved = DeviceMask.resolve(mask, PRESENT);
        assertThat(indices(resolved)).isEqualTo(indices);
        assertThat(resolved.problem()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0,2,1                    | 0   | \"2\" names no GPU",
                "-1                       | ''  | \"-1\" names no GPU",
                "1,                       | 1   | \"\" names no GPU",
                "0,00000                  | 0   | \"00000\" names no GPU",
                "99999999999999999999     | ''  | \"99999999999999999999\" names no GPU",
                "GPU-aa,0                 | ''  | \"GPU-aa\" names 2 GPUs",
                "GPU-aaaa1111f            | ''  | \"GPU-aaaa1111f\" names no GPU",
                "aaaa1111                 | ''  | \"aaaa1111\" names no GPU",
                "MIG-aaaa1111             | ''  | \"MIG-aaaa1111\" names no GPU",
                "0,3,GPU-aaaa,1           | 0 3 | \"GPU-aaaa\" names a GPU for the second time",
                "all                      | ''  | \"all\" names no GPU",
            })
    void shouldStopAtTheFirstWrongEntry(String mask, String indices, @Nullable String problem) {
        DeviceMask resolved = DeviceMask.resolve(mask, PRESENT);
        assertThat(indices(resolved)).isEqualTo(indices);
        assertThat(resolved.problem()).isEqualTo(problem);
    }

    private static String indices(DeviceMask mask) {
        return String.join(
                " ", mask.devices().stream().map(d -> String.valueOf(d.index())).toList());
    }
}
