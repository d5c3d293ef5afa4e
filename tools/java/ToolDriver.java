import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Kafka's own command line tools behind a line protocol: each line of standard input names a main
 * class and its arguments in JSON, each is answered by one line with what was printed and the exit
 * status. One process for many tools, since starting a JVM is what costs. Ends with its input.
 */
public final class ToolDriver {
    private static final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    /** With what a tool ended the process; null as long as it has not. */
    private static Integer ended;

    private ToolDriver() {
    }

    /** What a tool that ends the process throws here instead. Some catch it and go on. */
    private static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static Ended end(int status) {
        if (ended == null) ended = status;
        return new Ended();
    }

    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        // Scala takes the stream once: it must stay the same.
        PrintStream kept = new PrintStream(keeping(), true, StandardCharsets.UTF_8);
        System.setOut(kept);
        System.setErr(kept);
        Exit.setExitProcedure((status, message) -> {
            throw end(status);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw end(status);
        });
        ObjectMapper json = new ObjectMapper();
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonNode command = json.readTree(line);
            printed.reset();
            List<String> arguments = new ArrayList<>();
            command.get("args").forEach(argument -> arguments.add(argument.asText()));
            ObjectNode answer = json.createObjectNode();
            answer.put("status", run(command.get("main").asText(), arguments));
            kept.flush();
            answer.put("printed", printed.toString(StandardCharsets.UTF_8));
            answers.println(json.writeValueAsString(answer));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static OutputStream keeping() {
        return new OutputStream() {
            @Override
            public synchronized void write(int piece) {
                printed.write(piece);
            }

            @Override
            public synchronized void write(byte[] bytes, int from, int length) {
                printed.write(bytes, from, length);
            }
        };
    }

    private static int run(String main, List<String> arguments) {
        ended = null;
        int status = runMain(main, arguments);
        return ended == null ? status : ended;
    }

    private static int runMain(String main, List<String> arguments) {
        try {
            Class.forName(main)
                .getMethod("main", String[].class)
                .invoke(null, (Object) arguments.toArray(new String[0]));
            return 0;
        } catch (InvocationTargetException failure) {
            if (failure.getCause() instanceof Ended) return 0;
            failure.getCause().printStackTrace();
            return 1;
        } catch (ReflectiveOperationException failure) {
            failure.printStackTrace();
            return -1;
        }
    }
}
