import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** Calls about groups. */
final class GroupCalls {
    private static final String GROUP = "java-group";
    private static final String TOPIC = "java-grouped";
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);

    private GroupCalls() { }

    static void groups(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        cluster.create(TOPIC, 2);
        cluster.produce(TOPIC, 5);
        var configs = Client.with(cluster.common(),
            "group.id", GROUP, "group.instance.id", "the-first", "client.id", "a-reader", "auto.offset.reset", "earliest");
        try (KafkaConsumer<byte[], byte[]> member = Records.consumer(configs)) {
            member.subscribe(List.of(TOPIC));
            int read = 0;
            while (read < 5) {
                read += member.poll(Duration.ofMillis(100)).count();
            }
            member.commitSync();
            stable(admin);
        }
        // A static member stays when its consumer closes, until it is removed.
        var removed = new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("the-first")));
        admin.removeMembersFromConsumerGroup(GROUP, removed).all().get();
        AdminCalls.refused(UnknownMemberIdException.class,
            () -> admin.removeMembersFromConsumerGroup(GROUP, removed).memberResult(new MemberToRemove("the-first")).get());
        AdminCalls.same(GroupState.EMPTY, describe(admin).groupState());
        admin.deleteConsumerGroups(Set.of(GROUP)).all().get();
        AdminCalls.refused(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(Set.of(GROUP)).all().get());
        AdminCalls.refused(GroupIdNotFoundException.class, () -> describe(admin));
    }

    private static void stable(Admin admin) throws Exception {
        ConsumerGroupDescription group = describe(admin);
        AdminCalls.same(GroupState.STABLE, group.groupState());
        AdminCalls.same(GroupType.CLASSIC, group.type());
        AdminCalls.same("range", group.partitionAssignor());
        var member = group.members().iterator().next();
        AdminCalls.same(Optional.of("the-first"), member.groupInstanceId());
        AdminCalls.same("a-reader", member.clientId());
        AdminCalls.same("/127.0.0.1", member.host());
        AdminCalls.same(Set.of(PARTITION, new TopicPartition(TOPIC, 1)), member.assignment().topicPartitions());
        var classic = admin.describeClassicGroups(Set.of(GROUP)).all().get().get(GROUP);
        AdminCalls.same("consumer", classic.protocol());
        var listed = admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(GroupState.STABLE))).all().get();
        AdminCalls.check(listed.stream().anyMatch(one -> one.groupId().equals(GROUP)), listed);
        var empty = admin.listGroups(new ListGroupsOptions().inGroupStates(Set.of(GroupState.EMPTY))).all().get();
        AdminCalls.check(empty.stream().noneMatch(one -> one.groupId().equals(GROUP)), empty);
        AdminCalls.refused(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(Set.of(GROUP)).all().get());
        AdminCalls.refused(GroupSubscribedToTopicException.class,
            () -> admin.deleteConsumerGroupOffsets(GROUP, Set.of(PARTITION)).all().get());
        AdminCalls.refused(UnknownMemberIdException.class, () -> commit(admin, GROUP, 1));
    }

    static void offsets(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        String group = "java-offsets";
        cluster.create("java-offsets", 1);
        TopicPartition partition = new TopicPartition("java-offsets", 0);
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(7, "a note"))).all().get();
        var committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        AdminCalls.same(Map.of(partition, new OffsetAndMetadata(7, Optional.empty(), "a note")), committed);
        admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
        AdminCalls.same(Map.of(), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
    }

    private static Void commit(Admin admin, String group, long offset) throws Exception {
        return admin.alterConsumerGroupOffsets(group, Map.of(PARTITION, new OffsetAndMetadata(offset))).all().get();
    }

    private static ConsumerGroupDescription describe(Admin admin) throws Exception {
        return admin.describeConsumerGroups(Set.of(GROUP)).all().get().get(GROUP);
    }
}
