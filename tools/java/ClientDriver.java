import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own clients behind a line protocol: each line of standard input is one command in JSON,
 * each is answered by one line. One process for a whole test, since starting a JVM is what costs.
 * Ends with its input.
 */
public final class ClientDriver {
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    private final String bootstrapServers;
    private final Admin admin;
    private KafkaConsumer<byte[], byte[]> reader;

    private ClientDriver(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.admin = Admin.create(connection());
    }

    public static void main(String[] args) throws IOException {
        ClientDriver driver = new ClientDriver(args[0]);
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            System.out.println(driver.answer(line));
        }
        // Open transactions are meant to stay open, so nothing is closed.
        Runtime.getRuntime().halt(0);
    }

    private String answer(String line) throws IOException {
        ObjectNode answer = json.createObjectNode();
        try {
            JsonNode command = json.readTree(line);
            answer.set("result", run(command.get("command").asText(), command));
        } catch (Exception failure) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            answer.put("error", cause.toString());
        }
        return json.writeValueAsString(answer);
    }

    private JsonNode run(String name, JsonNode command) throws Exception {
        switch (name) {
            case "createTopic":
                createTopic(command);
                break;
            case "deleteRecords":
                deleteRecords(command);
                break;
            case "openProducer":
                openProducer(command);
                break;
            case "send":
                return send(command);
            case "beginTransaction":
                producerOf(command).beginTransaction();
                break;
            case "commitTransaction":
                producerOf(command).commitTransaction();
                break;
            case "abortTransaction":
                producerOf(command).abortTransaction();
                break;
            case "closeProducer":
                producers.remove(command.get("producer").asText()).close(Duration.ofSeconds(20));
                break;
            case "consumeAsGroup":
                return consumeAsGroup(command);
            case "firstOffsetFrom":
                return firstOffsetFrom(command);
            case "offsetForTimestamp":
                return offsetForTimestamp(command);
            default:
                throw new IllegalArgumentException("no such command: " + name);
        }
        return json.nullNode();
    }

    private void createTopic(JsonNode command) throws Exception {
        NewTopic topic = new NewTopic(command.get("topic").asText(), 1, (short) 1);
        Map<String, String> configs = new HashMap<>();
        command.get("configs").properties().forEach(e -> configs.put(e.getKey(), e.getValue().asText()));
        admin.createTopics(List.of(topic.configs(configs))).all().get();
    }

    private void deleteRecords(JsonNode command) throws Exception {
        RecordsToDelete before = RecordsToDelete.beforeOffset(command.get("beforeOffset").asLong());
        admin.deleteRecords(Map.of(partitionOf(command), before)).all().get();
    }

    private void openProducer(JsonNode command) {
        Properties properties = connection();
        command.get("properties").properties().forEach(e -> properties.put(e.getKey(), e.getValue().asText()));
        ByteArraySerializer bytes = new ByteArraySerializer();
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes);
        producers.put(command.get("producer").asText(), producer);
        if (properties.containsKey("transactional.id")) {
            producer.initTransactions();
        }
    }

    /** Sends records and waits for them: with a linger, they make one batch. */
    private JsonNode send(JsonNode command) throws Exception {
        KafkaProducer<byte[], byte[]> producer = producerOf(command);
        String topic = command.get("topic").asText();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode record : command.get("records")) {
            sent.add(producer.send(recordOf(topic, record)));
        }
        producer.flush();
        ArrayNode offsets = json.createArrayNode();
        for (Future<RecordMetadata> metadata : sent) {
            offsets.add(metadata.get().offset());
        }
        return offsets;
    }

    private static ProducerRecord<byte[], byte[]> recordOf(String topic, JsonNode record)
        throws IOException {
        List<Header> headers = new ArrayList<>();
        for (JsonNode header : record.get("headers")) {
            String key = new String(bytesOf(header.get(0)), StandardCharsets.UTF_8);
            headers.add(new RecordHeader(key, bytesOf(header.get(1))));
        }
        long timestamp = record.get("timestamp").asLong();
        byte[] key = bytesOf(record.get("key"));
        return new ProducerRecord<>(topic, 0, timestamp, key, bytesOf(record.get("value")), headers);
    }

    private static byte[] bytesOf(JsonNode base64) throws IOException {
        return base64.isNull() ? null : base64.binaryValue();
    }

    /** Joins a group, reads at least so many records of a topic, commits, leaves. */
    private JsonNode consumeAsGroup(JsonNode command) {
        Properties properties = connection();
        properties.put("group.id", command.get("group").asText());
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        command.get("properties").properties().forEach(e -> properties.put(e.getKey(), e.getValue().asText()));
        ByteArrayDeserializer bytes = new ByteArrayDeserializer();
        int wanted = command.get("records").asInt();
        int read = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties, bytes, bytes)) {
            consumer.subscribe(List.of(command.get("topic").asText()));
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (read < wanted && System.nanoTime() < deadline) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                read += records.count();
                if (!records.isEmpty()) {
                    consumer.commitSync();
                }
            }
        }
        return json.getNodeFactory().numberNode(read);
    }

    /** Offset of the first record that a fetch from an offset gives. */
    private JsonNode firstOffsetFrom(JsonNode command) {
        TopicPartition partition = partitionOf(command);
        if (reader == null) {
            ByteArrayDeserializer bytes = new ByteArrayDeserializer();
            reader = new KafkaConsumer<>(connection(), bytes, bytes);
        }
        reader.assign(List.of(partition));
        reader.seek(partition, command.get("offset").asLong());
        ConsumerRecords<byte[], byte[]> records = reader.poll(Duration.ofSeconds(10));
        long offset = records.isEmpty() ? -1 : records.iterator().next().offset();
        return json.getNodeFactory().numberNode(offset);
    }

    private JsonNode offsetForTimestamp(JsonNode command) throws Exception {
        OffsetSpec spec = OffsetSpec.forTimestamp(command.get("timestamp").asLong());
        TopicPartition partition = partitionOf(command);
        long offset = admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
        return json.getNodeFactory().numberNode(offset);
    }

    private KafkaProducer<byte[], byte[]> producerOf(JsonNode command) {
        return producers.get(command.get("producer").asText());
    }

    private static TopicPartition partitionOf(JsonNode command) {
        return new TopicPartition(command.get("topic").asText(), 0);
    }

    private Properties connection() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrapServers);
        return properties;
    }
}
