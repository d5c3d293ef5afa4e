"""kafka-python, 2.0.2 and current: their differences are in `admin` and in transactions."""

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.structs import OffsetAndMetadata

from driving import options, run, say, stopping, values
from kafka_python_admin import admin


def connection():
    return {"bootstrap_servers": options["bootstrap"], "client_id": options["clientId"]}


def produce():
    codec = options.get("codec")
    producer = KafkaProducer(
        **connection(), acks="all", compression_type=None if codec == "none" else codec
    )
    sent = [
        (value, producer.send(options["topic"], key=value[-1:].encode(), value=value.encode()))
        for value in values()
    ]
    producer.flush(30)
    for value, future in sent:
        place = future.get(timeout=30)
        say("sent", value=value, partition=place.partition, offset=place.offset)
    producer.close()


class Announcer(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        say("assigned", partitions=sorted(partition.partition for partition in assigned))


def group_consumer(**settings):
    return KafkaConsumer(
        **connection(),
        group_id=options["group"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        heartbeat_interval_ms=300,
        session_timeout_ms=10000,
        **settings,
    )


def member():
    settings = {}
    if "isolation" in options:
        settings["isolation_level"] = options["isolation"]
    consumer = group_consumer(**settings)
    # It may join before it knows of its topic, and is left without partitions then.
    consumer.partitions_for_topic(options["topic"])
    consumer.subscribe([options["topic"]], listener=Announcer())
    while not stopping.is_set():
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                say(
                    "record",
                    value=record.value.decode(),
                    partition=record.partition,
                    offset=record.offset,
                )
            consumer.commit()
    consumer.close(autocommit=False)


def transact():
    producer = KafkaProducer(**connection(), transactional_id=options["transactionalId"])
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(5):
        producer.send(options["target"], value=f"aborted-{number}".encode())
    producer.flush()
    producer.abort_transaction()

    consumer = group_consumer()
    consumer.partitions_for_topic(options["source"])
    consumer.subscribe([options["source"]])
    copies, offsets = [], {}
    while len(copies) < options["count"]:
        for partition, records in consumer.poll(timeout_ms=200).items():
            copies.extend(b"copy-of-" + record.value for record in records)
            offsets[TopicPartition(*partition)] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
    producer.begin_transaction()
    for value in copies:
        producer.send(options["target"], value=value)
    producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
    producer.commit_transaction()
    producer.close()
    consumer.close(autocommit=False)


run({"produce": produce, "member": member, "transact": transact, "admin": admin})
