import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigType;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Calls about configurations. */
final class ConfigCalls {
    private static final ConfigResource TOPIC = new ConfigResource(Type.TOPIC, "java-configured");

    private ConfigCalls() { }

    static void configs(AdminCalls.Cluster cluster) throws Exception {
        Admin admin = cluster.admin();
        cluster.create(TOPIC.name(), 1);
        AdminCalls.same(ConfigSource.DEFAULT_CONFIG, entry(admin, "retention.ms").source());
        alter(admin, OpType.SET, "retention.ms", "60000");
        ConfigEntry set = entry(admin, "retention.ms");
        AdminCalls.same("60000", set.value());
        AdminCalls.same(ConfigSource.DYNAMIC_TOPIC_CONFIG, set.source());
        AdminCalls.same(ConfigType.LONG, set.type());
        AdminCalls.same("retention.ms", set.synonyms().get(0).name());
        AdminCalls.check(!set.documentation().isEmpty(), "there is no documentation");
        alter(admin, OpType.DELETE, "retention.ms", "");
        AdminCalls.same("604800000", entry(admin, "retention.ms").value());
        lists(admin);
        AdminCalls.refused(InvalidConfigurationException.class, () -> alter(admin, OpType.SET, "retention.ms", "soon"));
        AdminCalls.refused(InvalidConfigurationException.class, () -> alter(admin, OpType.SET, "no.such.key", "1"));
        var unknown = new ConfigResource(Type.TOPIC, "java-nowhere");
        AdminCalls.refused(UnknownTopicOrPartitionException.class, () -> admin.describeConfigs(Set.of(unknown)).all().get());
        broker(admin);
    }

    /** What is a list is appended to and subtracted from. */
    private static void lists(Admin admin) throws Exception {
        alter(admin, OpType.APPEND, "cleanup.policy", "compact");
        AdminCalls.same(Set.of("compact", "delete"), Set.of(entry(admin, "cleanup.policy").value().split(",")));
        alter(admin, OpType.SUBTRACT, "cleanup.policy", "delete");
        AdminCalls.same("compact", entry(admin, "cleanup.policy").value());
    }

    private static void broker(Admin admin) throws Exception {
        var id = admin.describeCluster().nodes().get().iterator().next().idString();
        var broker = new ConfigResource(Type.BROKER, id);
        ConfigEntry node = admin.describeConfigs(Set.of(broker)).all().get().get(broker).get("node.id");
        AdminCalls.same(id, node.value());
        AdminCalls.check(node.isReadOnly(), node);
    }

    private static ConfigEntry entry(Admin admin, String key) throws Exception {
        var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        return admin.describeConfigs(Set.of(TOPIC), options).all().get().get(TOPIC).get(key);
    }

    private static Void alter(Admin admin, OpType how, String key, String value) throws Exception {
        var change = new AlterConfigOp(new ConfigEntry(key, value), how);
        return admin.incrementalAlterConfigs(Map.of(TOPIC, List.of(change))).all().get();
    }

    /** Which resources may have configurations. */
    static void resources(AdminCalls.Cluster cluster) throws Exception {
        cluster.create("java-resource", 1);
        var all = cluster.admin().listConfigResources().all().get();
        AdminCalls.check(all.contains(new ConfigResource(Type.TOPIC, "java-resource")), all);
        AdminCalls.check(all.stream().anyMatch(resource -> resource.type() == Type.BROKER), all);
        var topics = cluster.admin().listConfigResources(Set.of(Type.TOPIC), new ListConfigResourcesOptions()).all().get();
        AdminCalls.check(topics.stream().allMatch(resource -> resource.type() == Type.TOPIC), topics);
    }
}
