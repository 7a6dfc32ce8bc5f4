// Writes kafka-configs.tsv: what Apache Kafka's own tables say of every key, and what they answer to good and bad values.
// javac -cp 'target/tools/kafka/libs/*' KafkaConfigs.java && java -cp 'target/tools/kafka/libs/*:.' KafkaConfigs > kafka-configs.tsv
import java.util.*;
import java.util.regex.*;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.*;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;

public class KafkaConfigs {
    static final Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();

    static String text(Object value) {
        return value.toString().replace("\t", " ").replace("\n", " ");
    }

    static void key(String scope, ConfigDef.ConfigKey key) {
        String def = key.defaultValue == ConfigDef.NO_DEFAULT_VALUE ? "<required>"
            : key.defaultValue == null ? "<null>" : ConfigDef.convertToString(key.defaultValue, key.type);
        String mode = scope.equals("broker") ? modes.getOrDefault(key.name, "read-only") : "-";
        System.out.println(String.join("\t", "key", scope, key.name, key.type.toString(), def, mode, key.internalConfig ? "internal" : "public"));
    }

    static List<String> values(ConfigDef.ConfigKey key) {
        switch (key.type) {
            case BOOLEAN: return List.of("FALSE", " true ", "yes", "");
            case INT: return numbers(key, "2147483647", "2147483648");
            case SHORT: return numbers(key, "32767", "32768");
            case LONG: return numbers(key, "9223372036854775807", "9223372036854775808");
            case DOUBLE: return List.of("-0.1", "0", "0.5", "0.6", "1", "1.1", "x");
            case LIST: return List.of("", "compact", "compact, delete", "delete,delete", "delete,,compact", "*", "0:1,2:3", "0:a", "broker");
            case STRING: return List.of("", "zstd", "ZSTD", "LogAppendTime", "earliest", "by_duration:PT1H", "by_duration:x", "x");
            default: return List.of();
        }
    }

    // The bounds of the key and what lies beyond, the bounds of the type and what lies beyond, and what is no number.
    static List<String> numbers(ConfigDef.ConfigKey key, String max, String beyond) {
        List<String> values = new ArrayList<>(List.of("-2", "-1", "0", "1", max, beyond, "1.5", "x"));
        if (key.validator != null) {
            Matcher bound = Pattern.compile("-?[0-9]+").matcher(key.validator.toString());
            while (bound.find())
                for (long beside = -1; beside <= 1; beside++)
                    values.add(Long.toString(Long.parseLong(bound.group()) + beside));
        }
        return new ArrayList<>(new LinkedHashSet<>(values));
    }

    static void answers(String scope, ConfigDef.ConfigKey key) {
        for (String value : values(key)) {
            String answer = "";
            try {
                Object parsed = ConfigDef.parseType(key.name, value, key.type);
                if (key.validator != null) key.validator.ensureValid(key.name, parsed);
            } catch (Exception error) {
                answer = text(error.getMessage());
            }
            System.out.println(String.join("\t", "value", scope, key.name, value, answer));
        }
    }

    static void table(String scope, ConfigDef def) {
        for (String name : new TreeSet<>(def.names())) {
            key(scope, def.configKeys().get(name));
            answers(scope, def.configKeys().get(name));
        }
    }

    static void synonyms() {
        for (String topicKey : new TreeSet<>(ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.keySet()))
            for (ConfigSynonym synonym : ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.get(topicKey))
                System.out.println(String.join("\t", "synonym", topicKey, synonym.name(), synonym.converter().apply("1")));
        for (String groupKey : new TreeSet<>(GroupConfig.ALL_GROUP_CONFIG_SYNONYMS.keySet()))
            GroupConfig.ALL_GROUP_CONFIG_SYNONYMS.get(groupKey).ifPresent(broker ->
                System.out.println(String.join("\t", "group-synonym", groupKey, broker)));
    }

    public static void main(String[] arguments) throws Exception {
        table("topic", LogConfig.configDefCopy());
        table("broker", kafka.server.KafkaConfig.configDef());
        table("group", GroupConfig.CONFIG_DEF);
        table("client-metrics", clientMetrics());
        synonyms();
    }

    static ConfigDef clientMetrics() throws Exception {
        for (var field : ClientMetricsConfigs.class.getDeclaredFields())
            if (field.getType() == ConfigDef.class) {
                field.setAccessible(true);
                return (ConfigDef) field.get(null);
            }
        throw new IllegalStateException("ClientMetricsConfigs has no ConfigDef");
    }
}
