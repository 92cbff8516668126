package io.llamaorch.orchestratord.server.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class OccupancyTest {
    private final Occupancy occupancy = new Occupancy();

    @Test
    void shouldCountOnlyWhatThreeProbesInARowSaw() {
        assertThat(occupancy.sample(5, 2)).isZero();
        assertThat(occupancy.sample(4, 2)).isZero();
        assertThat(occupancy.sample(6, 2)).isEqualTo(2);
        assertThat(occupancy.sample(2, 2)).isZero();
    }

    @Test
    void shouldNotCountWhatWeAskedForNorWhatIsNotSaid() {
        for (int i = 0; i < 4; i++) {
            assertThat(occupancy.sample(3, 3)).isZero();
            assertThat(occupancy.sample(-1, 0)).isZero();
        }
    }

    @Test
    void shouldBeginAnewWithAnotherEngine() {
        occupancy.sample(9, 0);
        occupancy.sample(9, 0);
        occupancy.reset();

        assertThat(occupancy.sample(9, 0)).isZero();
    }
}
