import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * A client on kafka-clients that does what its stdin says: a JSON object a line, each answered by one on stdout.
 * e2e/src/clients.rs says which there are. Its argument is the bootstrap address.
 */
public final class Client {
    /** How long any one command may take before it is an error. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Object> common;
    private final Groups groups;

    private Client(String bootstrap) {
        common = Map.of("bootstrap.servers", bootstrap);
        groups = new Groups(common);
    }

    private ObjectNode run(JsonNode asked) throws Exception {
        return switch (text(asked, "do")) {
            case "produce" -> Records.produce(common, text(asked, "codec"), asked.get("records"));
            case "consume" -> Records.consume(common, asked.get("topics"), asked.get("count").asInt());
            case "join" -> groups.join(text(asked, "group"), text(asked, "topic"), text(asked, "assignor"));
            case "owned" -> groups.owned(text(asked, "group"));
            case "leave" -> groups.leave(text(asked, "group"));
            case "transaction" -> Transactions.attempt(common, text(asked, "id"), text(asked, "topic"));
            case "admin" -> AdminCalls.run(common, text(asked, "call"));
            default -> throw new IllegalArgumentException(asked + " is not known here");
        };
    }

    private static String text(JsonNode asked, String field) {
        return asked.get(field).asText();
    }

    /** Configurations with further ones: key, value, key, value… */
    static Map<String, Object> with(Map<String, Object> common, Object... more) {
        Map<String, Object> all = new HashMap<>(common);
        for (int at = 0; at < more.length; at += 2) {
            all.put((String) more[at], more[at + 1]);
        }
        return all;
    }

    public static void main(String[] arguments) throws Exception {
        Client client = new Client(arguments[0]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            ObjectNode answer;
            try {
                answer = client.run(JSON.readTree(line));
            } catch (Exception | AssertionError failed) {
                failed.printStackTrace();
                answer = JSON.createObjectNode().put("error", failed.toString());
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        Runtime.getRuntime().halt(0);
    }
}
