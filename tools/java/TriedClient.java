import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own clients behind the verbs that all tried client programs have: options in one JSON
 * argument, one JSON object a line on standard output, an end when standard input ends.
 */
public final class TriedClient {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode options;
    private volatile boolean stopping;

    private TriedClient(JsonNode options) {
        this.options = options;
    }

    public static void main(String[] args) throws Exception {
        TriedClient client = new TriedClient(JSON.readTree(args[0]));
        Thread leash = new Thread(client::awaitEndOfInput, "leash");
        leash.setDaemon(true);
        leash.start();
        switch (client.text("verb")) {
            case "produce" -> client.produce();
            case "member" -> client.member();
            case "transact" -> client.transact();
            case "relay" -> client.relay();
            case "admin" -> client.admin();
            default -> throw new IllegalArgumentException(args[0]);
        }
        say("done", Map.of());
    }

    private void awaitEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException closed) {
            // The same as its end.
        }
        stopping = true;
    }

    private String text(String name) {
        return options.get(name).asText();
    }

    private static void say(String event, Map<String, ?> facts) throws IOException {
        Map<String, Object> line = new HashMap<>(facts);
        line.put("event", event);
        synchronized (JSON) {
            System.out.println(JSON.writeValueAsString(line));
        }
    }

    private static void step(String name, Object result) throws IOException {
        say("step", Map.of("name", name, "result", result));
    }

    private Properties connection() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", text("bootstrap"));
        properties.put("client.id", text("clientId"));
        return properties;
    }

    private KafkaProducer<String, String> producer(Map<String, String> settings) {
        Properties properties = connection();
        properties.putAll(settings);
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    private void produce() throws Exception {
        int first = options.has("first") ? options.get("first").asInt() : 0;
        String codec = options.has("codec") ? text("codec") : "none";
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = producer(Map.of("compression.type", codec, "acks", "all"))) {
            for (int number = first; number < first + options.get("count").asInt(); number++) {
                String value = "record-" + number;
                String key = value.substring(value.length() - 1);
                sent.add(producer.send(new ProducerRecord<>(text("topic"), key, value)));
            }
            producer.flush();
            for (Future<RecordMetadata> future : sent) {
                RecordMetadata place = future.get();
                say("sent", Map.of("partition", place.partition(), "offset", place.offset()));
            }
        }
    }

    private KafkaConsumer<String, String> groupConsumer() {
        Properties properties = connection();
        properties.put("group.id", text("group"));
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        if (options.has("protocol")) {
            properties.put("group.protocol", text("protocol"));
        } else {
            properties.put("heartbeat.interval.ms", "300");
            properties.put("session.timeout.ms", "10000");
            properties.put("partition.assignment.strategy", strategy());
        }
        properties.put(
            "isolation.level", options.has("isolation") ? text("isolation") : "read_uncommitted");
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    private String strategy() {
        String name = options.has("strategy") ? text("strategy") : "range";
        String simple = Map.of(
            "range", "RangeAssignor",
            "roundrobin", "RoundRobinAssignor",
            "sticky", "StickyAssignor",
            "cooperative-sticky", "CooperativeStickyAssignor").get(name);
        return "org.apache.kafka.clients.consumer." + simple;
    }

    private void member() throws Exception {
        try (var consumer = groupConsumer()) {
            consumer.subscribe(List.of(text("topic")), new Announcer(consumer));
            while (!stopping) {
                var records = consumer.poll(Duration.ofMillis(200));
                Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
                for (ConsumerRecord<String, String> record : records) {
                    say("record", Map.of(
                        "value", record.value(),
                        "partition", record.partition(),
                        "offset", record.offset()));
                    ends.put(
                        new TopicPartition(record.topic(), record.partition()),
                        new OffsetAndMetadata(record.offset() + 1));
                }
                commit(consumer, ends);
            }
        }
    }

    private static void commit(
            KafkaConsumer<String, String> consumer,
            Map<TopicPartition, OffsetAndMetadata> ends) throws IOException {
        try {
            consumer.commitSync();
            for (var end : ends.entrySet()) {
                int partition = end.getKey().partition();
                say("committed", Map.of("partition", partition, "offset", end.getValue().offset()));
            }
        } catch (RebalanceInProgressException overtaken) {
            // Committed anew after the rebalance.
        }
    }

    private record Announcer(KafkaConsumer<String, String> consumer)
            implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> gained) {
            try {
                var held = consumer.assignment().stream().map(TopicPartition::partition).sorted();
                say("assigned", Map.of("partitions", held.toList()));
            } catch (IOException failure) {
                throw new IllegalStateException(failure);
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> lost) {
            // What was received is committed after each poll.
        }
    }

    private void transact() throws Exception {
        Map<String, String> settings = Map.of("transactional.id", text("transactionalId"));
        try (var producer = producer(settings); var consumer = groupConsumer()) {
            producer.initTransactions();
            producer.beginTransaction();
            for (int number = 0; number < 5; number++) {
                producer.send(new ProducerRecord<>(text("target"), "aborted-" + number));
            }
            producer.flush();
            producer.abortTransaction();

            consumer.subscribe(List.of(text("source")));
            List<String> copies = new ArrayList<>();
            Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
            while (copies.size() < options.get("count").asInt()) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    copies.add("copy-of-" + record.value());
                    ends.put(
                        new TopicPartition(record.topic(), record.partition()),
                        new OffsetAndMetadata(record.offset() + 1));
                }
            }
            producer.beginTransaction();
            copies.forEach(copy -> producer.send(new ProducerRecord<>(text("target"), copy)));
            producer.sendOffsetsToTransaction(ends, consumer.groupMetadata());
            producer.commitTransaction();
        }
    }

    /**
     * Copies the place of each record to another topic, with its own offsets in the same
     * transaction, until it is told to end, and whatever happens to the broker meanwhile.
     */
    private void relay() throws Exception {
        try (var consumer = groupConsumer()) {
            consumer.subscribe(List.of(text("source")));
            while (!stopping) {
                relayWithOneProducer(consumer);
            }
        }
    }

    private void relayWithOneProducer(KafkaConsumer<String, String> consumer) throws Exception {
        Map<String, String> settings =
            Map.of("transactional.id", text("transactionalId"), "max.block.ms", "20000");
        try (var producer = producer(settings)) {
            producer.initTransactions();
            rewind(consumer);
            while (!stopping) {
                var records = consumer.poll(Duration.ofMillis(200));
                if (!records.isEmpty() && !passedOn(producer, consumer, records)) {
                    rewind(consumer);
                }
            }
        } catch (KafkaException failure) {
            say("complaint", Map.of("message", failure.toString()));
        }
    }

    /** Whether it could; rejects when the producer is good for nothing any more. */
    private boolean passedOn(
            KafkaProducer<String, String> producer,
            KafkaConsumer<String, String> consumer,
            ConsumerRecords<String, String> records) throws IOException {
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        try {
            producer.beginTransaction();
            for (ConsumerRecord<String, String> record : records) {
                String place = record.partition() + ":" + record.offset();
                producer.send(new ProducerRecord<>(text("target"), place, place));
                ends.put(
                    new TopicPartition(record.topic(), record.partition()),
                    new OffsetAndMetadata(record.offset() + 1));
            }
            producer.sendOffsetsToTransaction(ends, consumer.groupMetadata());
            producer.commitTransaction();
            say("relayed", Map.of("count", records.count()));
            return true;
        } catch (TimeoutException undecided) {
            // Whether it is committed shows in what the group has committed.
            throw undecided;
        } catch (KafkaException failure) {
            say("complaint", Map.of("message", failure.toString()));
            producer.abortTransaction();
            return false;
        }
    }

    /** To what is committed: the records of an aborted transaction are read again. */
    private static void rewind(KafkaConsumer<String, String> consumer) {
        var committed = consumer.committed(consumer.assignment(), PATIENCE);
        for (TopicPartition partition : consumer.assignment()) {
            OffsetAndMetadata end = committed.get(partition);
            consumer.seek(partition, end == null ? 0 : end.offset());
        }
    }

    private void admin() throws Exception {
        try (Admin client = Admin.create(connection())) {
            topics(client);
            groups(client);
            client.deleteTopics(List.of(text("topic"))).all().get();
            boolean isGone =
                isSoon(() -> !client.listTopics().names().get().contains(text("topic")));
            step("topicIsGone", isGone);
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    /** Whether it becomes true in ten seconds: a broker may see a change a moment after it. */
    private static boolean isSoon(Condition condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos() / 3;
        while (System.nanoTime() < deadline) {
            if (condition.holds()) {
                return true;
            }
            Thread.sleep(200);
        }
        return false;
    }

    private void topics(Admin client) throws Exception {
        String topic = text("topic");
        NewTopic wanted = new NewTopic(topic, 3, (short) 1);
        client.createTopics(List.of(wanted.configs(Map.of("retention.ms", "86400000")))).all().get();
        step("topicIsListed", isSoon(() -> client.listTopics().names().get().contains(topic)));
        step("partitions", partitions(client, topic));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        step("retention", retention(client, resource));
        ConfigEntry entry = new ConfigEntry("retention.ms", "3600000");
        AlterConfigOp change = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
        client.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        isSoon(() -> retention(client, resource).equals("3600000"));
        step("alteredRetention", retention(client, resource));
        client.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        isSoon(() -> partitions(client, topic) == 5);
        step("morePartitions", partitions(client, topic));
    }

    private static int partitions(Admin client, String topic) throws Exception {
        var described = client.describeTopics(List.of(topic)).allTopicNames().get();
        return described.get(topic).partitions().size();
    }

    private static String retention(Admin client, ConfigResource resource) throws Exception {
        var described = client.describeConfigs(List.of(resource)).all().get();
        return described.get(resource).get("retention.ms").value();
    }

    private void groups(Admin client) throws Exception {
        String group = text("group");
        step("groupIsListed", isListed(client, group));
        var described = client.describeConsumerGroups(List.of(group)).all().get().get(group);
        step("groupState", stateOf(described));
        var committed = client.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        step("committed", committed.values().stream().mapToLong(OffsetAndMetadata::offset).sum());
        TopicPartition first = new TopicPartition(text("source"), 0);
        client.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(1))).all().get();
        var start = client.listOffsets(Map.of(first, OffsetSpec.earliest())).partitionResult(first);
        step("deletedBefore", start.get().offset());
        client.deleteConsumerGroups(List.of(group)).all().get();
        step("groupIsGone", !isListed(client, group));
    }

    /** By the name that it has in 3.9 too. */
    @SuppressWarnings("deprecation")
    private static String stateOf(ConsumerGroupDescription described) {
        return described.state().toString();
    }

    private static boolean isListed(Admin client, String group) throws Exception {
        var listed = client.listConsumerGroups().all().get();
        return listed.stream().anyMatch(found -> found.groupId().equals(group));
    }
}
