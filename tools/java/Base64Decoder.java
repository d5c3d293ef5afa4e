import java.util.Base64;
import org.apache.kafka.tools.api.Decoder;

/** Makes kafka-dump-log print keys and values as base64: whole, on one line, unmistakable. */
public final class Base64Decoder implements Decoder<String> {
    @Override
    public String fromBytes(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
