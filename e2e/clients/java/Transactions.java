import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;

/** Transactions: what comes of an attempt. */
final class Transactions {
    private Transactions() { }

    /** Tries one of one record; answers with what stopped it and how long that took. */
    static ObjectNode attempt(Map<String, Object> common, String id, String topic) {
        long began = System.nanoTime();
        String refusal = null;
        try (var producer = Records.producer(Client.with(common, "transactional.id", id))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "in a transaction".getBytes()));
            producer.commitTransaction();
        } catch (KafkaException failed) {
            refusal = failed.toString();
        }
        ObjectNode answer = Client.JSON.createObjectNode().put("refusal", refusal);
        return answer.put("seconds", (System.nanoTime() - began) / 1e9);
    }
}
