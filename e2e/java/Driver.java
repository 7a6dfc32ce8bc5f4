import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the mains of Apache Kafka's tools one after the other in one JVM, so that a call costs milliseconds.
 *
 * A call is a line on stdin: stdin of the tool, its class, its arguments, each in hex, with commas between. The answer
 * is a line on stdout: the exit code, what it wrote to stdout, what it wrote to stderr. The end of stdin ends the JVM.
 */
public final class Driver {
    private static final Switch OUT = new Switch();
    private static final Switch ERR = new Switch();

    /** What a tool throws here where it would end its process. */
    private static final class Exited extends RuntimeException {
        final int code;

        Exited(int code) {
            super(null, null, false, false);
            this.code = code;
        }
    }

    /** Scala keeps the stdout that it saw first, so that one stays and only its target changes. */
    private static final class Switch extends OutputStream {
        private ByteArrayOutputStream target = new ByteArrayOutputStream();

        synchronized String take() {
            String taken = HexFormat.of().formatHex(target.toByteArray());
            target = new ByteArrayOutputStream();
            return taken;
        }

        @Override
        public synchronized void write(int letter) {
            target.write(letter);
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int length) {
            target.write(bytes, from, length);
        }
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure((code, message) -> {
            throw new Exited(code);
        });
        Exit.setHaltProcedure((code, message) -> {
            throw new Exited(code);
        });
        Exit.setShutdownHookAdder((name, hook) -> { });
        for (String call = calls.readLine(); call != null; call = calls.readLine()) {
            int code = run(call);
            answers.println(code + "," + OUT.take() + "," + ERR.take());
        }
        Runtime.getRuntime().halt(0);
    }

    private static int run(String call) {
        List<byte[]> parts = new ArrayList<>();
        for (String part : call.split(",", -1)) {
            parts.add(HexFormat.of().parseHex(part));
        }
        System.setIn(new ByteArrayInputStream(parts.get(0)));
        String tool = text(parts.get(1));
        String[] arguments = parts.stream().skip(2).map(Driver::text).toArray(String[]::new);
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return 0;
        } catch (InvocationTargetException failed) {
            return code(failed.getCause());
        } catch (ReflectiveOperationException failed) {
            return code(failed);
        }
    }

    /** What the JVM would exit with; 1 after the trace of an exception that no one caught. */
    private static int code(Throwable cause) {
        if (cause instanceof Exited) {
            return ((Exited) cause).code;
        }
        cause.printStackTrace();
        return 1;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
