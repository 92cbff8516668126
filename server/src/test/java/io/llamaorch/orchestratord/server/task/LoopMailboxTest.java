package io.llamaorch.orchestratord.server.task;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class LoopMailboxTest {
    @Test
    void shouldDeliverTheRestOfABatchWhenAMessageThrows() {
        EmbeddedChannel loop = new EmbeddedChannel();
        List<String> seen = new ArrayList<>();
        LoopMailbox mailbox = new LoopMailbox(loop.eventLoop(), (task, thrown) -> seen.add(thrown.getMessage()));
        mailbox.post(null, () -> seen.add("first"));
        mailbox.post(null, () -> {
            throw new IllegalStateException("defect");
        });
        mailbox.post(null, () -> seen.add("third"));
        mailbox.flush();
        loop.runPendingTasks();
        assertThat(seen).containsExactly("first", "defect", "third");
    }
}
