"""confluent-kafka: librdkafka, as Python's programs use it."""

import time

from confluent_kafka import Consumer, Producer, TopicPartition

from confluent_admin import admin
from driving import options, run, say, stopping, values


def connection():
    return {
        "bootstrap.servers": options["bootstrap"],
        "client.id": options["clientId"],
        "reconnect.backoff.max.ms": 500,
    }


def delivered(error, message):
    if error is not None:
        raise RuntimeError(str(error))
    say(
        "sent",
        value=message.value().decode(),
        partition=message.partition(),
        offset=message.offset(),
    )


def produce():
    producer = Producer(
        {
            **connection(),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": options.get("codec", "none"),
        }
    )
    for value in values():
        producer.produce(
            options["topic"], key=value[-1:].encode(), value=value.encode(), callback=delivered
        )
        producer.poll(0)
    assert producer.flush(30) == 0, "not all is delivered"


def hammer():
    """Sends numbered records until it is told to end; each is sent until it is acknowledged."""
    producer = Producer({**connection(), "enable.idempotence": True, "message.timeout.ms": 0})
    number = 0
    while not stopping.is_set():
        value = f"{options['clientId']}-{number}"
        bytes_of = value.encode()
        producer.produce(options["topic"], key=bytes_of, value=bytes_of, callback=delivered)
        number += 1
        producer.poll(0)
        while len(producer) > 300:
            producer.poll(0.05)
        time.sleep(0.004)
    assert producer.flush(60) == 0, "not all is delivered"


def announce(consumer, partitions):
    say("assigned", partitions=sorted(partition.partition for partition in partitions))


def announce_incremental(consumer, partitions):
    consumer.incremental_assign(partitions)
    say("assigned", partitions=sorted(held.partition for held in consumer.assignment()))


def group_consumer():
    return Consumer(
        {
            **connection(),
            "group.id": options["group"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "heartbeat.interval.ms": 300,
            "session.timeout.ms": 10000,
            "partition.assignment.strategy": options.get("strategy", "range"),
            "isolation.level": options.get("isolation", "read_uncommitted"),
            "topic.metadata.refresh.interval.ms": 2000,
        }
    )


def received(consumer):
    """The next record, or none within a while."""
    record = consumer.poll(0.2)
    if record is None:
        return None
    if record.error() is None:
        return record
    if record.error().fatal():
        raise RuntimeError(str(record.error()))
    # It goes on by itself.
    say("complaint", message=str(record.error()))
    return None


def member():
    consumer = group_consumer()
    is_cooperative = options.get("strategy", "").startswith("cooperative")
    consumer.subscribe(
        [options["topic"]], on_assign=announce_incremental if is_cooperative else announce
    )
    while not stopping.is_set():
        record = received(consumer)
        if record is not None:
            say(
                "record",
                value=record.value().decode(),
                partition=record.partition(),
                offset=record.offset(),
            )
            consumer.commit(record, asynchronous=True)
    consumer.close()


def transact():
    producer = Producer({**connection(), "transactional.id": options["transactionalId"]})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(5):
        producer.produce(options["target"], value=f"aborted-{number}".encode())
    producer.flush(30)
    producer.abort_transaction(30)

    consumer = group_consumer()
    consumer.subscribe([options["source"]])
    copies, offsets = [], {}
    while len(copies) < options["count"]:
        record = received(consumer)
        if record is not None:
            copies.append(b"copy-of-" + record.value())
            offsets[record.partition()] = record.offset() + 1
    producer.begin_transaction()
    for value in copies:
        producer.produce(options["target"], value=value)
    producer.send_offsets_to_transaction(
        [TopicPartition(options["source"], number, end) for number, end in offsets.items()],
        consumer.consumer_group_metadata(),
        30,
    )
    producer.commit_transaction(30)
    consumer.close()


verbs = {"produce": produce, "member": member, "transact": transact, "admin": admin}
run({**verbs, "hammer": hammer})
