import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.NavigableMap;
import java.util.Random;
import java.util.StringJoiner;
import java.util.TreeMap;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.NullableSchema;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Answers, with Apache Kafka's own classes, what tests/apache.rs asks: one line in, one line out.
 *
 *   versions NAME                the versions of a message, or that there is no such message
 *   recode NAME VERSION HEX      the bytes after decoding and encoding them
 *   random NAME VERSION SEED     the bytes of a random message
 *   api KEY                      name, advertised versions and header versions of an API
 *   errors                       every error code with its name and whether a client tries again
 */
public final class WireMirror {
    private static final String[] PLACES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
        "org.apache.kafka.coordinator.share.generated.%s",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.%s",
    };

    public static void main(String[] arguments) throws Exception {
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            String answer;
            try {
                answer = "ok " + answer(line.split(" ", -1));
            } catch (Throwable wrapped) {
                Throwable failure = wrapped.getCause() == null ? wrapped : wrapped.getCause();
                answer = "failed " + String.valueOf(failure).replaceAll("[^ -~]", " ");
            }
            answers.println(answer);
        }
    }

    private static String answer(String[] words) throws Exception {
        switch (words[0]) {
            case "versions": return versions(messageClass(words[1]));
            case "recode": return recode(messageClass(words[1]), Short.parseShort(words[2]), words[3]);
            case "random": return random(messageClass(words[1]), Short.parseShort(words[2]), Long.parseLong(words[3]));
            case "api": return api(ApiKeys.forId(Integer.parseInt(words[1])));
            case "errors": return errors();
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    private static Class<?> messageClass(String name) throws ClassNotFoundException {
        for (String place : PLACES) {
            try {
                return Class.forName(String.format(place, name));
            } catch (ClassNotFoundException elsewhere) {
                // The next place may have it.
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static String versions(Class<?> message) throws ReflectiveOperationException {
        return message.getField("LOWEST_SUPPORTED_VERSION").getShort(null) + " "
            + message.getField("HIGHEST_SUPPORTED_VERSION").getShort(null);
    }

    private static String recode(Class<?> type, short version, String hex) throws ReflectiveOperationException {
        return HexFormat.of().formatHex(recode(type, version, ByteBuffer.wrap(HexFormat.of().parseHex(hex))));
    }

    private static byte[] recode(Class<?> type, short version, ByteBuffer bytes) throws ReflectiveOperationException {
        Object message = type.getConstructor(Readable.class, short.class)
            .newInstance(new ByteBufferAccessor(bytes), version);
        if (bytes.hasRemaining()) {
            throw new IllegalStateException(bytes.remaining() + " bytes are left behind " + message);
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer written = ByteBuffer.allocate(((ApiMessage) message).size(cache, version));
        ((ApiMessage) message).write(new ByteBufferAccessor(written), cache, version);
        return written.array();
    }

    /** Fills the message's schema at random; its class then leaves out the tags that have their default. */
    private static String random(Class<?> type, short version, long seed) throws ReflectiveOperationException {
        Schema schema = ((Schema[]) type.getField("SCHEMAS").get(null))[version];
        Object value = struct(schema, new Random(seed));
        ByteBuffer bytes = ByteBuffer.allocate(schema.sizeOf(value));
        schema.write(bytes, value);
        return HexFormat.of().formatHex(recode(type, version, bytes.flip()));
    }

    private static Struct struct(Schema schema, Random random) {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields()) {
            struct.set(field, value(field.def.type, random));
        }
        return struct;
    }

    private static Object value(Type type, Random random) {
        if (type instanceof TaggedFields) {
            return tags((TaggedFields) type, random);
        }
        if (type.isNullable() && random.nextInt(4) == 0) {
            return null;
        }
        if (type instanceof Schema) {
            return struct((Schema) type, random);
        }
        if (type.isArray()) {
            Object[] elements = new Object[random.nextInt(3)];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = value(type.arrayElementType().get(), random);
            }
            return elements;
        }
        return scalar(type.toString(), random);
    }

    private static NavigableMap<Integer, Object> tags(TaggedFields tags, Random random) {
        NavigableMap<Integer, Object> values = new TreeMap<>();
        for (var entry : tags.fields().entrySet()) {
            Field field = entry.getValue();
            // The schema writes a tagged struct's null in another way than the class reads it.
            boolean present = field.type instanceof NullableSchema;
            if (random.nextBoolean()) {
                values.put(entry.getKey(), present ? struct((Schema) field.type, random) : value(field.type, random));
            }
        }
        return values;
    }

    private static Object scalar(String type, Random random) {
        switch (type) {
            case "BOOLEAN": return random.nextBoolean();
            case "INT8": return (byte) random.nextInt();
            case "INT16": return (short) random.nextInt();
            case "UINT16": return random.nextInt(1 << 16);
            case "INT32": return random.nextInt();
            case "UNSIGNED_INT32": case "UINT32": return random.nextLong() & 0xffff_ffffL;
            case "INT64": return random.nextLong();
            case "FLOAT64": return random.nextDouble();
            case "UUID": return new Uuid(random.nextLong(), random.nextLong());
            default:
        }
        if (type.endsWith("STRING")) {
            StringBuilder text = new StringBuilder();
            random.ints(random.nextInt(200), 0x20, 0xd800).forEach(text::appendCodePoint);
            return text.toString();
        }
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        if (type.endsWith("BYTES")) {
            return ByteBuffer.wrap(bytes);
        }
        if (type.endsWith("RECORDS")) {
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        }
        throw new IllegalArgumentException("no random " + type);
    }

    private static String api(ApiKeys api) {
        var advertised = api.toApiVersionForApiResponse(false, ListenerType.BROKER).get();
        StringJoiner words = new StringJoiner(" ").add(api.name);
        words.add(String.valueOf(advertised.minVersion())).add(String.valueOf(advertised.maxVersion()));
        for (short version = api.oldestVersion(); version <= api.latestVersion(false); version++) {
            words.add(version + ":" + api.requestHeaderVersion(version) + ":" + api.responseHeaderVersion(version));
        }
        return words.toString();
    }

    private static String errors() {
        StringJoiner words = new StringJoiner(" ");
        for (Errors error : Errors.values()) {
            words.add(error.code() + ":" + error.name() + ":" + (error.exception() instanceof RetriableException));
        }
        return words.toString();
    }
}
