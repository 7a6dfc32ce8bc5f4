import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;

/** Calls about what lies in partitions. */
final class PartitionCalls {
    private PartitionCalls() { }

    static void offsets(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        cluster.create("java-times", 1);
        cluster.produce("java-times", 5);
        TopicPartition partition = new TopicPartition("java-times", 0);
        AdminCalls.same(0L, offset(admin, partition, OffsetSpec.earliest()).offset());
        AdminCalls.same(0L, offset(admin, partition, OffsetSpec.earliestLocal()).offset());
        AdminCalls.same(5L, offset(admin, partition, OffsetSpec.latest()).offset());
        var last = offset(admin, partition, OffsetSpec.maxTimestamp());
        AdminCalls.same(4L, last.offset());
        AdminCalls.same(5000L, last.timestamp());
        var found = offset(admin, partition, OffsetSpec.forTimestamp(2001));
        AdminCalls.same(2L, found.offset());
        AdminCalls.same(3000L, found.timestamp());
        AdminCalls.same(-1L, offset(admin, partition, OffsetSpec.forTimestamp(5001)).offset());
        AdminCalls.same(-1L, offset(admin, partition, OffsetSpec.latestTiered()).offset());
    }

    static void deleteRecords(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        cluster.create("java-shortened", 1);
        cluster.produce("java-shortened", 5);
        TopicPartition partition = new TopicPartition("java-shortened", 0);
        AdminCalls.same(3L, delete(admin, partition, 3));
        AdminCalls.same(3L, offset(admin, partition, OffsetSpec.earliest()).offset());
        AdminCalls.same(5L, delete(admin, partition, -1));
        AdminCalls.same(5L, offset(admin, partition, OffsetSpec.earliest()).offset());
        AdminCalls.refused(OffsetOutOfRangeException.class, () -> delete(admin, partition, 6));
    }

    static void producers(AdminCalls.Cluster cluster) throws Exception {
        cluster.create("java-written", 1);
        cluster.produce("java-written", 3);
        TopicPartition partition = new TopicPartition("java-written", 0);
        var active = cluster.admin().describeProducers(Set.of(partition)).partitionResult(partition).get().activeProducers();
        AdminCalls.same(1, active.size());
        var producer = active.get(0);
        AdminCalls.same(0, producer.producerEpoch());
        AdminCalls.same(2, producer.lastSequence());
        AdminCalls.same(3000L, producer.lastTimestamp());
        AdminCalls.check(producer.currentTransactionStartOffset().isEmpty(), producer);
    }

    private static long delete(Admin admin, TopicPartition partition, long before) throws Exception {
        var asked = Map.of(partition, RecordsToDelete.beforeOffset(before));
        return admin.deleteRecords(asked).lowWatermarks().get(partition).get().lowWatermark();
    }

    private static ListOffsetsResultInfo offset(Admin admin, TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
    }
}
