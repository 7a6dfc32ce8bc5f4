import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;

/** What Java's admin client asks, one call of a family after the other; an answer that is not as it should be is an error. */
final class AdminCalls {
    /** One family of calls, with topics of its own. */
    interface Calls {
        void on(Cluster cluster) throws Exception;
    }

    private static final Map<String, Calls> FAMILIES = Map.of(
        "topics", TopicCalls::topics,
        "partitions", TopicCalls::partitions,
        "configs", ConfigCalls::configs,
        "config-resources", ConfigCalls::resources,
        "groups", GroupCalls::groups,
        "group-offsets", GroupCalls::offsets,
        "offsets", PartitionCalls::offsets,
        "delete-records", PartitionCalls::deleteRecords,
        "producers", PartitionCalls::producers,
        "cluster", ClusterCalls::cluster);

    private AdminCalls() { }

    static ObjectNode run(Map<String, Object> common, String family) throws Exception {
        try (Admin admin = Admin.create(common)) {
            FAMILIES.get(family).on(new Cluster(common, admin));
        }
        return Client.JSON.createObjectNode();
    }

    /** The cluster that is asked. */
    record Cluster(Map<String, Object> common, Admin admin) {
        void create(String topic, int partitions) throws Exception {
            admin.createTopics(Set.of(new NewTopic(topic, partitions, (short) 1))).all().get();
            awaitKnown(topic);
        }

        /** Apache Kafka answers before its brokers know of the topic. */
        void awaitKnown(String topic) throws Exception {
            while (!admin.listTopics().names().get().contains(topic)) {
                Thread.sleep(10);
            }
        }

        /** Sends so many records to partition 0, with timestamps 1,000, 2,000, … from an idempotent producer. */
        void produce(String topic, int records) throws Exception {
            try (var producer = Records.producer(common)) {
                for (int number = 1; number <= records; number++) {
                    byte[] value = Integer.toString(number).getBytes();
                    producer.send(new ProducerRecord<>(topic, 0, number * 1000L, null, value)).get();
                }
            }
        }
    }

    static void check(boolean holds, Object found) {
        if (!holds) {
            throw new AssertionError(found);
        }
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), found + " instead of " + expected);
    }

    /** Checks that a call fails for this reason. */
    static void refused(Class<? extends Exception> reason, Callable<?> call) throws Exception {
        try {
            throw new AssertionError(call.call() + " instead of " + reason);
        } catch (ExecutionException failed) {
            check(reason.isInstance(failed.getCause()), failed);
        }
    }
}
