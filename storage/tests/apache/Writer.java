import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes what the test of Apache Kafka's directories expects, and leaves one transaction open. */
public class Writer {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};

    public static void main(String[] arguments) throws Exception {
        String server = arguments[0];
        Map<String, String> segments = Map.of("segment.bytes", "1048576");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", server))) {
            NewTopic plain = new NewTopic("plain", 1, (short) 1).configs(segments);
            NewTopic transactions = new NewTopic("transactions", 1, (short) 1).configs(segments);
            admin.createTopics(List.of(plain, transactions)).all().get();
        }
        int record = 0;
        for (String codec : CODECS) {
            Map<String, Object> config = Map.of("bootstrap.servers", server, "compression.type", codec);
            try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < 8000; i++, record++) {
                    String value = "record-" + record + "-" + "x".repeat(record * 31 % 200);
                    producer.send(new ProducerRecord<>("plain", 0, 1_700_000_000_000L + record, "key", value));
                }
            }
        }
        Map<String, Object> config = Map.of("bootstrap.servers", server, "transactional.id", "writer");
        var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        transaction(producer, "committed", 10).commitTransaction();
        transaction(producer, "aborted", 5).abortTransaction();
        transaction(producer, "committed", 3).commitTransaction();
        transaction(producer, "open", 4);
        System.out.println("written");
        Runtime.getRuntime().halt(0);
    }

    static KafkaProducer<String, String> transaction(KafkaProducer<String, String> producer, String value, int records) {
        producer.beginTransaction();
        for (int i = 0; i < records; i++) {
            producer.send(new ProducerRecord<>("transactions", 0, "key", value));
        }
        producer.flush();
        return producer;
    }
}
