import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Records, sent and read. On stdin and stdout their bytes are in base64, and null is null. */
final class Records {
    private Records() { }

    static KafkaProducer<byte[], byte[]> producer(Map<String, Object> configs) {
        return new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> configs) {
        return new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Sends each to its partition; answers with their offsets, in the order of the records. */
    static ObjectNode produce(Map<String, Object> common, String codec, JsonNode records) throws Exception {
        ObjectNode answer = Client.JSON.createObjectNode();
        ArrayNode offsets = answer.putArray("offsets");
        try (var producer = producer(Client.with(common, "compression.type", codec, "linger.ms", 20))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : records) {
                sent.add(producer.send(toSend(record)));
            }
            for (Future<RecordMetadata> future : sent) {
                offsets.add(future.get().offset());
            }
        }
        return answer;
    }

    /** Reads these topics from their beginning until so many records have come. */
    static ObjectNode consume(Map<String, Object> common, JsonNode topics, int count) {
        ObjectNode answer = Client.JSON.createObjectNode();
        ArrayNode read = answer.putArray("records");
        try (var consumer = consumer(Client.with(common, "isolation.level", "read_committed"))) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (JsonNode topic : topics) {
                for (PartitionInfo partition : consumer.partitionsFor(topic.asText())) {
                    partitions.add(new TopicPartition(partition.topic(), partition.partition()));
                }
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (read.size() < count) {
                ConsumerRecords<byte[], byte[]> came = consumer.poll(Client.PATIENCE);
                if (came.isEmpty()) {
                    throw new AssertionError("only " + read.size() + " of " + count + " records came");
                }
                came.forEach(record -> read.add(received(record)));
            }
        }
        return answer;
    }

    private static ProducerRecord<byte[], byte[]> toSend(JsonNode record) throws IOException {
        var sent = new ProducerRecord<>(
            record.get("topic").asText(),
            record.get("partition").asInt(),
            record.get("timestamp").asLong(),
            bytes(record.get("key")),
            bytes(record.get("value")));
        for (JsonNode header : record.get("headers")) {
            sent.headers().add(header.get("name").asText(), bytes(header.get("value")));
        }
        return sent;
    }

    private static byte[] bytes(JsonNode base64) throws IOException {
        return base64.isNull() ? null : base64.binaryValue();
    }

    private static ObjectNode received(ConsumerRecord<byte[], byte[]> record) {
        ObjectNode read = Client.JSON.createObjectNode()
            .put("topic", record.topic())
            .put("partition", record.partition())
            .put("offset", record.offset())
            .put("timestamp", record.timestamp())
            .put("key", record.key())
            .put("value", record.value());
        ArrayNode headers = read.putArray("headers");
        for (Header header : record.headers()) {
            headers.addObject().put("name", header.key()).put("value", header.value());
        }
        return read;
    }
}
