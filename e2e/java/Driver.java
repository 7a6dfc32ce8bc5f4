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

    private static final long HOOK_MILLIS_MAX = 10_000;
    private static final List<Runnable> HOOKS = new ArrayList<>();

    /** The code of the first exit that the tool asked for; a tool may catch what stops it and ask again. */
    private static Integer exitCode;

    /** What a tool meets here where it would end its process. */
    private static final class Exited extends RuntimeException {
        Exited() {
            super(null, null, false, false);
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
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        Exit.setShutdownHookAdder((name, hook) -> HOOKS.add(hook));
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
        exitCode = null;
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException failed) {
            failed(failed.getCause());
        } catch (ReflectiveOperationException failed) {
            failed(failed);
        }
        // The end of a tool's process, which some of them do the last of their work in.
        HOOKS.forEach(Driver::runHook);
        HOOKS.clear();
        return exitCode == null ? 0 : exitCode;
    }

    /** Beside this thread, as a JVM does, for it may wait for what does not come. */
    private static void runHook(Runnable hook) {
        Thread thread = new Thread(hook);
        thread.setDaemon(true);
        thread.start();
        try {
            thread.join(HOOK_MILLIS_MAX);
        } catch (InterruptedException interrupted) {
            failed(interrupted);
        }
    }

    private static void exit(int code) {
        if (exitCode == null) {
            exitCode = code;
        }
        throw new Exited();
    }

    /** A JVM exits with 1 after the trace of an exception that no one caught. */
    private static void failed(Throwable cause) {
        if (exitCode == null) {
            exitCode = 1;
            cause.printStackTrace();
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
