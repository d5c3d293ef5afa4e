import java.io.PrintStream;
import java.util.Base64;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.MessageFormatter;
import org.apache.kafka.common.header.Header;

/**
 * Makes kafka-console-consumer print one JSON object a line, with keys, values and header values in
 * base64 and header keys in base64 too, since they may hold anything.
 */
public final class JsonLinesFormatter implements MessageFormatter {
    @Override
    public void writeTo(ConsumerRecord<byte[], byte[]> record, PrintStream output) {
        StringBuilder line = new StringBuilder();
        line.append("{\"topic\":\"").append(record.topic());
        line.append("\",\"partition\":").append(record.partition());
        line.append(",\"offset\":").append(record.offset());
        line.append(",\"timestamp\":").append(record.timestamp());
        line.append(",\"timestampType\":\"").append(record.timestampType());
        line.append("\",\"key\":").append(quoted(record.key()));
        line.append(",\"value\":").append(quoted(record.value()));
        line.append(",\"headers\":[");
        String separator = "";
        for (Header header : record.headers()) {
            byte[] key = header.key().getBytes(java.nio.charset.StandardCharsets.UTF_8);
            line.append(separator).append('[').append(quoted(key));
            line.append(',').append(quoted(header.value())).append(']');
            separator = ",";
        }
        line.append("]}");
        output.println(line);
    }

    private static String quoted(byte[] bytes) {
        return bytes == null ? "null" : '"' + Base64.getEncoder().encodeToString(bytes) + '"';
    }
}
