import static java.util.stream.Collectors.toSet;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;

/** Calls about brokers and their disks. */
final class ClusterCalls {
    private ClusterCalls() { }

    static void cluster(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        var described = admin.describeCluster();
        AdminCalls.check(!described.clusterId().get().isEmpty(), "there is no cluster id");
        Set<Integer> ids = described.nodes().get().stream().map(Node::id).collect(toSet());
        AdminCalls.check(ids.contains(described.controller().get().id()), described.controller().get());
        cluster.create("java-stored", 1);
        cluster.produce("java-stored", 10);
        int leader = admin.describeTopics(Set.of("java-stored")).topicNameValues().get("java-stored").get()
            .partitions().get(0).leader().id();
        Map<Integer, Map<String, LogDirDescription>> all = admin.describeLogDirs(ids).allDescriptions().get();
        AdminCalls.same(ids, all.keySet());
        TopicPartition partition = new TopicPartition("java-stored", 0);
        var folder = all.get(leader).entrySet().stream()
            .filter(one -> one.getValue().replicaInfos().containsKey(partition)).findAny().orElseThrow();
        AdminCalls.check(folder.getValue().replicaInfos().get(partition).size() > 0, folder);
        AdminCalls.check(folder.getValue().totalBytes().getAsLong() > 0, folder);
        var replica = new TopicPartitionReplica("java-stored", 0, leader);
        var where = admin.describeReplicaLogDirs(Set.of(replica)).all().get().get(replica);
        AdminCalls.same(folder.getKey(), where.getCurrentReplicaLogDir());
    }
}
