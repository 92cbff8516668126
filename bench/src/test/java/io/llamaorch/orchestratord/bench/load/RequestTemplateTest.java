package io.llamaorch.orchestratord.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RequestTemplateTest {
    @Test
    void shouldFillIdsAndCountTheBody() {
        RandomIds ids = new RandomIds(1);
        byte[] taskId = new byte[RandomIds.LENGTH];
        ids.next(taskId, 0);
        RequestTemplate template =
                RequestTemplate.post("/v1/tasks", "h:1", "X-API-Key: k\r\n", "{\"a\":\"{task_id}\",\"b\":\"{uuid}\"}é");
        ByteBuf request = template.next(UnpooledByteBufAllocator.DEFAULT, taskId, ids);
        String text = request.toString(StandardCharsets.UTF_8);
        request.release();
        String body = text.substring(text.indexOf("\r\n\r\n") + 4);
        assertThat(text)
                .startsWith("POST /v1/tasks HTTP/1.1\r\nHost: h:1\r\n")
                .contains(
                        "X-API-Key: k\r\n",
                        "\r\nContent-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n");
        assertThat(body).startsWith("{\"a\":\"" + new String(taskId, StandardCharsets.US_ASCII) + "\",\"b\":\"");
        assertThat(UUID.fromString(body.substring(body.indexOf("\"b\":\"") + 5, body.length() - 3)))
                .isNotNull();
    }

    @Test
    void shouldMakeUniqueVersion4Ids() {
        RandomIds ids = new RandomIds(7);
        byte[] text = new byte[RandomIds.LENGTH];
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            ids.next(text, 0);
            String id = new String(text, StandardCharsets.US_ASCII);
            UUID parsed = UUID.fromString(id);
            assertThat(parsed.version()).isEqualTo(4);
            assertThat(parsed.variant()).isEqualTo(2);
            assertThat(parsed).hasToString(id);
            seen.add(id);
        }
        assertThat(seen).hasSize(10_000);
    }
}
