/* Load for a broker, by librdkafka: what the benchmarks set two brokers beside each other with. One
 * line of JSON says what was done. It costs as little as a client can: records are sent from where
 * they lie, and what is read is summed up and let go of.
 *
 *   load produce BROKERS TOPIC PARTITIONS PAYLOAD RECORD_BYTES RECORDS [NAME=VALUE ...]
 *   load serial  BROKERS TOPIC PARTITIONS PAYLOAD RECORD_BYTES RECORDS PRODUCERS [NAME=VALUE ...]
 *   load consume BROKERS TOPIC PARTITIONS RECORDS [NAME=VALUE ...]
 *   load latency BROKERS TOPIC PARTITIONS PAYLOAD RECORD_BYTES RATE SECONDS WARM_UP [NAME=VALUE ...]
 *
 * PAYLOAD is a file of records, one behind the other; they are sent in turn, to the partitions in
 * turn. NAME=VALUE are settings of librdkafka. "sum" is of all values, whatever their order. */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <rdkafka.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MILLION 1000000
#define BILLION 1000000000LL
/* Nothing takes so long on the loopback interface. */
#define PATIENCE_MS 30000
#define BATCH 1000

typedef struct {
        char *bytes;
        size_t record_bytes;
        size_t records;
} payload_t;

typedef struct {
        const char *brokers;
        const char *topic;
        int32_t partitions;
        char **settings;
        int settings_count;
} target_t;

/* Of the deliveries of one process. */
static int64_t delivered = 0;

static void fail(const char *format, ...) {
        va_list args;
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        exit(1);
}

static int64_t clock_ns(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * BILLION + now.tv_nsec;
}

static double cpu_seconds(void) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / MILLION;
}

static int64_t number(const char *text) {
        char *end;
        int64_t value = strtoll(text, &end, 10);
        if (*end != '\0' || value <= 0) fail("'%s' is not a number from 1 on", text);
        return value;
}

/* A 64-bit mix of a value. */
static uint64_t mixed(const char *bytes, size_t size) {
        uint64_t hash = size;
        for (; size >= 8; bytes += 8, size -= 8) {
                uint64_t word;
                memcpy(&word, bytes, 8);
                hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
                hash ^= hash >> 29;
        }
        for (; size > 0; bytes++, size--) hash = (hash ^ (uint8_t)*bytes) * 0x100000001b3ULL;
        return hash ^ hash >> 32;
}

static payload_t read_payload(const char *path, const char *record_bytes) {
        FILE *file = fopen(path, "rb");
        if (file == NULL) fail("%s: %s", path, strerror(errno));
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        payload_t payload = {malloc(size + 1), (size_t)number(record_bytes), 0};
        if (fread(payload.bytes, 1, size, file) != size) fail("%s cannot be read", path);
        fclose(file);
        payload.records = size / payload.record_bytes;
        if (payload.records == 0) fail("%s holds no record", path);
        return payload;
}

static char *record_of(const payload_t *payload, int64_t index) {
        return payload->bytes + (size_t)(index % (int64_t)payload->records) * payload->record_bytes;
}

static uint64_t sum_of(const payload_t *payload, int64_t records) {
        uint64_t sum = 0;
        for (size_t index = 0; index < payload->records; index++) {
                int64_t times = records / (int64_t)payload->records +
                                ((int64_t)index < records % (int64_t)payload->records ? 1 : 0);
                char *record = record_of(payload, (int64_t)index);
                sum += mixed(record, payload->record_bytes) * (uint64_t)times;
        }
        return sum;
}

static void was_delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
        (void)client, (void)opaque;
        if (message->err) fail("a record was refused: %s", rd_kafka_err2str(message->err));
        delivered++;
}

/* A client that knows the topic. */
static rd_kafka_t *client_of(
    const target_t *target,
    rd_kafka_type_t type,
    void (*on_delivery)(rd_kafka_t *, const rd_kafka_message_t *, void *)) {
        char text[512];
        rd_kafka_conf_t *conf = rd_kafka_conf_new();
        if (rd_kafka_conf_set(conf, "bootstrap.servers", target->brokers, text, sizeof(text)))
                fail("%s", text);
        for (int index = 0; index < target->settings_count; index++) {
                char *name = target->settings[index];
                char *value = strchr(name, '=');
                if (value == NULL) fail("'%s' is not NAME=VALUE", name);
                char *own = strndup(name, (size_t)(value - name));
                if (rd_kafka_conf_set(conf, own, value + 1, text, sizeof(text))) fail("%s", text);
                free(own);
        }
        if (on_delivery != NULL) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof(text));
        if (client == NULL) fail("%s", text);
        return client;
}

static rd_kafka_topic_t *topic_of(rd_kafka_t *client, const target_t *target) {
        rd_kafka_topic_t *topic = rd_kafka_topic_new(client, target->topic, NULL);
        const struct rd_kafka_metadata *metadata;
        rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, PATIENCE_MS);
        if (error) fail("%s", rd_kafka_err2str(error));
        int found = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        if (found != target->partitions) fail("the topic has %d partitions", found);
        rd_kafka_metadata_destroy(metadata);
        return topic;
}

static void say(int64_t records, int64_t took_ns, double cpu, uint64_t sum) {
        printf("{\"records\":%" PRId64 ",\"seconds\":%.6f,\"cpuSeconds\":%.3f,\"sum\":\"%016" PRIx64
               "\"}\n",
               records, (double)took_ns / BILLION, cpu, sum);
}

static void send_one(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, char *bytes, size_t size) {
        while (rd_kafka_produce(topic, partition, 0, bytes, size, NULL, 0, NULL) != 0) {
                rd_kafka_resp_err_t error = rd_kafka_last_error();
                if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("%s", rd_kafka_err2str(error));
                rd_kafka_poll(client, 10);
        }
}

static void produce(const target_t *target, const payload_t *payload, int64_t records) {
        rd_kafka_t *client = client_of(target, RD_KAFKA_PRODUCER, was_delivered);
        rd_kafka_topic_t *topic = topic_of(client, target);
        double cpu = cpu_seconds();
        int64_t started = clock_ns();
        for (int64_t index = 0; index < records; index++) {
                int32_t partition = (int32_t)(index % target->partitions);
                send_one(client, topic, partition, record_of(payload, index), payload->record_bytes);
                if (index % BATCH == 0) rd_kafka_poll(client, 0);
        }
        while (delivered < records) rd_kafka_poll(client, 100);
        int64_t took = clock_ns() - started;
        say(records, took, cpu_seconds() - cpu, sum_of(payload, records));
}

/* A producer with one record under way, of several that share the records among them. */
typedef struct {
        const payload_t *payload;
        rd_kafka_t *client;
        rd_kafka_topic_t *topic;
        int32_t partition;
        int64_t first;
        int64_t step;
        int64_t records;
} serial_t;

static void serial_delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
        (void)client, (void)opaque;
        if (message->err) fail("a record was refused: %s", rd_kafka_err2str(message->err));
        *(int *)message->_private = 1;
}

static void *send_serially(void *given) {
        const serial_t *own = given;
        for (int64_t index = own->first; index < own->records; index += own->step) {
                int is_delivered = 0;
                if (rd_kafka_produce(own->topic, own->partition, 0, record_of(own->payload, index),
                                     own->payload->record_bytes, NULL, 0, &is_delivered))
                        fail("%s", rd_kafka_err2str(rd_kafka_last_error()));
                while (!is_delivered) rd_kafka_poll(own->client, 100);
        }
        return NULL;
}

static void produce_serially(
    const target_t *target, const payload_t *payload, int64_t records, int producers) {
        serial_t *all = calloc((size_t)producers, sizeof(serial_t));
        pthread_t *threads = calloc((size_t)producers, sizeof(pthread_t));
        for (int index = 0; index < producers; index++) {
                all[index] = (serial_t){.payload = payload, .step = producers, .records = records};
                all[index].client = client_of(target, RD_KAFKA_PRODUCER, serial_delivered);
                all[index].topic = topic_of(all[index].client, target);
                all[index].partition = index % target->partitions;
                all[index].first = index;
        }
        double cpu = cpu_seconds();
        int64_t started = clock_ns();
        for (int index = 0; index < producers; index++)
                pthread_create(&threads[index], NULL, send_serially, &all[index]);
        for (int index = 0; index < producers; index++) pthread_join(threads[index], NULL);
        int64_t took = clock_ns() - started;
        say(records, took, cpu_seconds() - cpu, sum_of(payload, records));
}

static rd_kafka_queue_t *begin_reading(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partitions, int64_t from) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
        for (int32_t partition = 0; partition < partitions; partition++)
                if (rd_kafka_consume_start_queue(topic, partition, from, queue))
                        fail("%s", rd_kafka_err2str(rd_kafka_last_error()));
        return queue;
}

static void consume(const target_t *target, int64_t records) {
        rd_kafka_message_t *messages[BATCH];
        rd_kafka_t *client = client_of(target, RD_KAFKA_CONSUMER, NULL);
        rd_kafka_topic_t *topic = topic_of(client, target);
        double cpu = cpu_seconds();
        int64_t started = clock_ns();
        rd_kafka_queue_t *queue =
            begin_reading(client, topic, target->partitions, RD_KAFKA_OFFSET_BEGINNING);
        int64_t read = 0;
        uint64_t sum = 0;
        while (read < records) {
                /* It waits until there are as many as are asked for. */
                size_t wanted = records - read < BATCH ? (size_t)(records - read) : BATCH;
                ssize_t count = rd_kafka_consume_batch_queue(queue, PATIENCE_MS, messages, wanted);
                if (count < (ssize_t)wanted) fail("%" PRId64 " of %" PRId64 " records came", read, records);
                for (ssize_t index = 0; index < count; index++) {
                        rd_kafka_message_t *message = messages[index];
                        if (message->err) fail("%s", rd_kafka_message_errstr(message));
                        sum += mixed(message->payload, message->len);
                        rd_kafka_message_destroy(message);
                }
                read += count;
        }
        say(read, clock_ns() - started, cpu_seconds() - cpu, sum);
}

/* Of records that carry the time at which they were due. */
typedef struct {
        const target_t *target;
        rd_kafka_t *client;
        rd_kafka_topic_t *topic;
        int64_t expected;
        int64_t counted_from;
        int64_t *latencies;
        int64_t counted;
        uint64_t sum;
} listener_t;

static void *listen_for(void *given) {
        listener_t *listener = given;
        rd_kafka_queue_t *queue = begin_reading(listener->client, listener->topic,
                                                listener->target->partitions,
                                                RD_KAFKA_OFFSET_BEGINNING);
        for (int64_t read = 0; read < listener->expected; read++) {
                rd_kafka_message_t *message = rd_kafka_consume_queue(queue, PATIENCE_MS);
                int64_t now = clock_ns();
                if (message == NULL) fail("%" PRId64 " records came", read);
                if (message->err) fail("%s", rd_kafka_message_errstr(message));
                int64_t due;
                memcpy(&due, message->payload, sizeof(due));
                char *rest = (char *)message->payload + sizeof(due);
                listener->sum += mixed(rest, message->len - sizeof(due));
                if (due >= listener->counted_from)
                        listener->latencies[listener->counted++] = now - due;
                rd_kafka_message_destroy(message);
        }
        return NULL;
}

static int ascending(const void *a, const void *b) {
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return left < right ? -1 : left > right;
}

static double percentile_ms(const listener_t *listener, double part) {
        int64_t index = (int64_t)(part * (double)listener->counted);
        if (index >= listener->counted) index = listener->counted - 1;
        return (double)listener->latencies[index] / MILLION;
}

static void wait_until(int64_t due) {
        struct timespec time = {due / BILLION, due % BILLION};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void measure_latency(
    const target_t *target, const payload_t *payload, int64_t rate, int64_t seconds, int64_t warm_up) {
        int64_t records = rate * (seconds + warm_up);
        listener_t listener = {.target = target};
        listener.client = client_of(target, RD_KAFKA_CONSUMER, NULL);
        listener.topic = topic_of(listener.client, target);
        listener.expected = records;
        listener.latencies = calloc((size_t)records, sizeof(int64_t));
        rd_kafka_t *client = client_of(target, RD_KAFKA_PRODUCER, was_delivered);
        rd_kafka_topic_t *topic = topic_of(client, target);
        int64_t started = clock_ns() + BILLION / 4;
        listener.counted_from = started + warm_up * BILLION;
        pthread_t thread;
        pthread_create(&thread, NULL, listen_for, &listener);
        double cpu = cpu_seconds();
        for (int64_t index = 0; index < records; index++) {
                int64_t due = started + (int64_t)((double)index * BILLION / (double)rate);
                wait_until(due);
                char *bytes = malloc(payload->record_bytes);
                memcpy(bytes, record_of(payload, index), payload->record_bytes);
                memcpy(bytes, &due, sizeof(due));
                int32_t partition = (int32_t)(index % target->partitions);
                if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_FREE, bytes,
                                     payload->record_bytes, NULL, 0, NULL))
                        fail("%s", rd_kafka_err2str(rd_kafka_last_error()));
                rd_kafka_poll(client, 0);
        }
        while (delivered < records) rd_kafka_poll(client, 100);
        pthread_join(thread, NULL);
        qsort(listener.latencies, (size_t)listener.counted, sizeof(int64_t), ascending);
        printf("{\"records\":%" PRId64 ",\"cpuSeconds\":%.3f,\"sum\":\"%016" PRIx64
               "\",\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"p999Ms\":%.4f,\"maxMs\":%.4f}\n",
               listener.counted, cpu_seconds() - cpu, listener.sum, percentile_ms(&listener, 0.5),
               percentile_ms(&listener, 0.99), percentile_ms(&listener, 0.999),
               percentile_ms(&listener, 1));
}

/* The first of the arguments that are settings. */
static void with_settings(target_t *target, int count, char **args, int from) {
        if (count < from) fail("too few arguments: load.c says which there are");
        target->settings = args + from;
        target->settings_count = count - from;
}

int main(int count, char **args) {
        if (count < 6) fail("too few arguments: load.c says which there are");
        const char *verb = args[1];
        target_t target = {args[2], args[3], (int32_t)number(args[4]), NULL, 0};
        if (strcmp(verb, "consume") == 0) {
                with_settings(&target, count, args, 6);
                consume(&target, number(args[5]));
        } else if (strcmp(verb, "produce") == 0) {
                with_settings(&target, count, args, 8);
                payload_t payload = read_payload(args[5], args[6]);
                produce(&target, &payload, number(args[7]));
        } else if (strcmp(verb, "serial") == 0) {
                with_settings(&target, count, args, 9);
                payload_t payload = read_payload(args[5], args[6]);
                produce_serially(&target, &payload, number(args[7]), (int)number(args[8]));
        } else if (strcmp(verb, "latency") == 0) {
                with_settings(&target, count, args, 10);
                payload_t payload = read_payload(args[5], args[6]);
                int64_t rate = number(args[7]), seconds = number(args[8]);
                measure_latency(&target, &payload, rate, seconds, number(args[9]));
        } else fail("there is no verb %s", verb);
        /* What clients still keep ends with the process. */
        return 0;
}
