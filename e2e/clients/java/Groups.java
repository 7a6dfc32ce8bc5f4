import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.TopicPartition;

/** The members of groups that this process has, one a group. */
final class Groups {
    private static final Map<String, Class<?>> ASSIGNORS = Map.of(
        "range", RangeAssignor.class,
        "roundrobin", RoundRobinAssignor.class,
        "sticky", StickyAssignor.class,
        "cooperative-sticky", CooperativeStickyAssignor.class);
    private static final Duration POLL = Duration.ofMillis(50);

    private final Map<String, Object> common;
    private final Map<String, Member> members = new HashMap<>();

    Groups(Map<String, Object> common) {
        this.common = common;
    }

    ObjectNode join(String group, String topic, String assignor) {
        var configs = Client.with(common,
            "group.id", group,
            "partition.assignment.strategy", ASSIGNORS.get(assignor).getName(),
            "auto.offset.reset", "earliest",
            "heartbeat.interval.ms", 300);
        Member member = new Member(configs, topic);
        member.start();
        members.put(group, member);
        return Client.JSON.createObjectNode();
    }

    /** What the member owns now, and all that it has read: partition and offset. */
    ObjectNode owned(String group) {
        return members.get(group).state();
    }

    /** Commits and leaves; the answer is what it had read. */
    ObjectNode leave(String group) throws InterruptedException {
        Member member = members.remove(group);
        member.isStopped = true;
        member.join(Client.PATIENCE.toMillis());
        return member.state();
    }

    /** Reads in a thread of its own what it owns. */
    private static final class Member extends Thread {
        private final Map<String, Object> configs;
        private final String topic;
        private final List<long[]> read = new ArrayList<>();
        private Set<TopicPartition> mine = Set.of();
        private RuntimeException failure;
        private volatile boolean isStopped;

        Member(Map<String, Object> configs, String topic) {
            this.configs = configs;
            this.topic = topic;
            setDaemon(true);
        }

        @Override
        public void run() {
            try (KafkaConsumer<byte[], byte[]> consumer = Records.consumer(configs)) {
                consumer.subscribe(List.of(topic));
                while (!isStopped) {
                    var came = consumer.poll(POLL);
                    note(came, consumer.assignment());
                }
            } catch (RuntimeException failed) {
                synchronized (this) {
                    failure = failed;
                }
            }
        }

        private synchronized void note(Iterable<ConsumerRecord<byte[], byte[]>> came, Set<TopicPartition> now) {
            came.forEach(record -> read.add(new long[] {record.partition(), record.offset()}));
            mine = Set.copyOf(now);
        }

        synchronized ObjectNode state() {
            if (failure != null) {
                throw failure;
            }
            ObjectNode answer = Client.JSON.createObjectNode();
            ArrayNode owned = answer.putArray("owned");
            mine.forEach(partition -> owned.add(partition.partition()));
            ArrayNode all = answer.putArray("read");
            read.forEach(at -> all.addArray().add(at[0]).add(at[1]));
            return answer;
        }
    }
}
