import static java.util.stream.Collectors.toSet;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Calls about topics and their partitions. */
final class TopicCalls {
    private TopicCalls() { }

    static void topics(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        NewTopic asked = new NewTopic("java-made", 3, (short) 1).configs(Map.of("retention.ms", "60000"));
        admin.createTopics(Set.of(asked), new CreateTopicsOptions().validateOnly(true)).all().get();
        AdminCalls.check(!admin.listTopics().names().get().contains("java-made"), "it was only to be validated");
        var created = admin.createTopics(Set.of(asked));
        AdminCalls.same(3, created.numPartitions("java-made").get());
        AdminCalls.same(1, created.replicationFactor("java-made").get());
        AdminCalls.same("60000", created.config("java-made").get().get("retention.ms").value());
        Uuid id = created.topicId("java-made").get();
        cluster.awaitKnown("java-made");
        TopicDescription byName = admin.describeTopics(Set.of("java-made")).allTopicNames().get().get("java-made");
        var byId = admin.describeTopics(TopicCollection.ofTopicIds(Set.of(id))).allTopicIds().get().get(id);
        AdminCalls.same(id, byName.topicId());
        AdminCalls.same("java-made", byId.name());
        AdminCalls.same(3, byName.partitions().size());
        byName.partitions().forEach(partition -> AdminCalls.same(List.of(partition.leader()), partition.isr()));
        refusals(admin, asked);
        admin.deleteTopics(Set.of("java-made")).all().get();
        AdminCalls.refused(UnknownTopicOrPartitionException.class,
            () -> admin.describeTopics(Set.of("java-made")).allTopicNames().get());
        AdminCalls.refused(UnknownTopicIdException.class,
            () -> admin.deleteTopics(TopicCollection.ofTopicIds(Set.of(id))).all().get());
    }

    private static void refusals(Admin admin, NewTopic there) throws Exception {
        AdminCalls.refused(TopicExistsException.class, () -> admin.createTopics(Set.of(there)).all().get());
        AdminCalls.refused(InvalidTopicException.class, () -> create(admin, "not/a/name", 1, 1));
        AdminCalls.refused(InvalidPartitionsException.class, () -> create(admin, "java-none", 0, 1));
        AdminCalls.refused(InvalidReplicationFactorException.class, () -> create(admin, "java-many", 1, 99));
    }

    private static Void create(Admin admin, String topic, int partitions, int replicas) throws Exception {
        return admin.createTopics(Set.of(new NewTopic(topic, partitions, (short) replicas))).all().get();
    }

    static void partitions(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        cluster.create("java-grown", 1);
        admin.createPartitions(Map.of("java-grown", NewPartitions.increaseTo(4))).all().get();
        AdminCalls.refused(InvalidPartitionsException.class,
            () -> admin.createPartitions(Map.of("java-grown", NewPartitions.increaseTo(2))).all().get());
        var elected = admin.electLeaders(ElectionType.PREFERRED,
            Set.of(new TopicPartition("java-grown", 0), new TopicPartition("java-grown", 9))).partitions().get();
        AdminCalls.same(Set.of(ElectionNotNeededException.class, UnknownTopicOrPartitionException.class),
            elected.values().stream().map(Optional::get).map(Object::getClass).collect(toSet()));
        admin.deleteTopics(Set.of("java-grown")).all().get();
    }
}
