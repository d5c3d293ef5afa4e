"""confluent-kafka: librdkafka, as Python's programs use it."""

import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

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


def announce_rest(consumer, partitions):
    lost = {partition.partition for partition in partitions}
    kept = {held.partition for held in consumer.assignment()} - lost
    say("assigned", partitions=sorted(kept))


def protocol():
    """How members share: the server divides, or they do."""
    if "protocol" in options:
        return {"group.protocol": options["protocol"]}
    return {
        "heartbeat.interval.ms": 300,
        "session.timeout.ms": 10000,
        "partition.assignment.strategy": options.get("strategy", "range"),
    }


def committed(error, partitions):
    if error is not None:
        say("complaint", message=str(error))
        return
    for partition in partitions:
        if partition.error is None:
            say("committed", partition=partition.partition, offset=partition.offset)


def group_consumer():
    return Consumer(
        {
            **connection(),
            **protocol(),
            "group.id": options["group"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": options.get("isolation", "read_uncommitted"),
            "topic.metadata.refresh.interval.ms": 2000,
            "on_commit": committed,
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
    is_cooperative = (
        "protocol" in options or options.get("strategy", "").startswith("cooperative")
    )
    callbacks = {"on_assign": announce_incremental if is_cooperative else announce}
    if "protocol" in options:
        callbacks["on_revoke"] = announce_rest
    consumer.subscribe([options["topic"]], **callbacks)
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


def relay():
    """Copies the place of each record in transactions, until it is told to end."""
    consumer = group_consumer()
    consumer.subscribe([options["source"]])
    while not stopping.is_set():
        relay_with_one_producer(consumer)
    consumer.close()


def relay_with_one_producer(consumer):
    producer = Producer(
        {
            **connection(),
            "transactional.id": options["transactionalId"],
            # Else it forgets its only broker when that is away, but goes on to wait for it wherever
            # it had found a group's coordinator.
            "metadata.recovery.strategy": "none",
        }
    )
    try:
        producer.init_transactions(20)
        rewind(consumer)
        while not stopping.is_set():
            records = consumer.consume(500, 0.2)
            records = [record for record in records if record.error() is None]
            if records and not passed_on(producer, consumer, records):
                rewind(consumer)
    except KafkaException as failure:
        # Whether a transaction is committed shows in what the group has committed.
        say("complaint", message=str(failure))


def passed_on(producer, consumer, records):
    """Whether it could; raises when the producer is good for nothing any more."""
    ends = {}
    try:
        producer.begin_transaction()
        for record in records:
            place = f"{record.partition()}:{record.offset()}"
            producer.produce(options["target"], key=place.encode(), value=place.encode())
            ends[record.partition()] = record.offset() + 1
        producer.send_offsets_to_transaction(
            [TopicPartition(options["source"], number, end) for number, end in ends.items()],
            consumer.consumer_group_metadata(),
            20,
        )
        producer.commit_transaction(20)
    except KafkaException as failure:
        if not failure.args[0].txn_requires_abort():
            raise
        say("complaint", message=str(failure))
        producer.abort_transaction(20)
        return False
    say("relayed", count=len(records))
    return True


def rewind(consumer):
    """To what is committed: the records of an aborted transaction are read again."""
    held = consumer.assignment()
    for partition in consumer.committed(held, 20) if held else []:
        partition.offset = max(partition.offset, 0)
        consumer.seek(partition)


verbs = {"produce": produce, "member": member, "transact": transact, "admin": admin}
run({**verbs, "hammer": hammer, "relay": relay})
