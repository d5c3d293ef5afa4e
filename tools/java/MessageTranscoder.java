import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Kafka's own encoding of its messages behind a line protocol: each line of standard input is one
 * message as JSON, each is answered by a line with its bytes. Other lines ask for the versions of
 * all APIs, or for all errors. Ends with its input.
 */
public final class MessageTranscoder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MessageTranscoder() {
    }

    public static void main(String[] args) throws IOException {
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            System.out.println(answer(line));
        }
    }

    private static String answer(String line) throws IOException {
        ObjectNode answer = JSON.createObjectNode();
        try {
            JsonNode command = JSON.readTree(line);
            if (command.has("errors")) {
                listErrors(answer);
            } else if (command.has("versions")) {
                listVersions(answer);
            } else {
                transcode(command, answer);
            }
        } catch (Exception | Error error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            answer.put("error", cause.toString());
        }
        return JSON.writeValueAsString(answer);
    }

    private static void transcode(JsonNode command, ObjectNode answer) throws Exception {
        ApiMessageType type = ApiMessageType.fromApiKey((short) command.get("key").asInt());
        boolean isRequest = command.get("kind").asText().equals("request");
        short version = (short) command.get("version").asInt();
        ApiMessage empty = isRequest ? type.newRequest() : type.newResponse();
        Class<?> converter = Class.forName(empty.getClass().getName() + "JsonConverter");

        Method read = converter.getMethod("read", JsonNode.class, short.class);
        ApiMessage given = (ApiMessage) read.invoke(null, command.get("message"), version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer bytes = ByteBuffer.allocate(given.size(cache, version));
        given.write(new ByteBufferAccessor(bytes), cache, version);
        answer.put("bytes", bytes.array());
        answer.put("requestHeader", type.requestHeaderVersion(version));
        answer.put("responseHeader", type.responseHeaderVersion(version));
    }

    /** The versions of every API, by its key. */
    private static void listVersions(ObjectNode answer) {
        for (ApiMessageType type : ApiMessageType.values()) {
            ObjectNode versions = answer.putObject(String.valueOf(type.apiKey()));
            versions.put("name", type.name);
            versions.put("first", type.lowestSupportedVersion());
            versions.put("last", type.highestSupportedVersion(true));
        }
    }

    private static void listErrors(ObjectNode answer) {
        ArrayNode list = answer.putArray("errors");
        Arrays.stream(Errors.values()).forEach(error -> {
            ObjectNode entry = list.addObject();
            entry.put("name", error.name());
            entry.put("code", error.code());
            entry.put("retriable", error.exception() instanceof RetriableException);
        });
    }
}
