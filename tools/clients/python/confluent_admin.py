"""The admin client of confluent-kafka."""

import time

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from driving import options, say


def admin():
    client = AdminClient({"bootstrap.servers": options["bootstrap"], "client.id": options["clientId"]})
    topics(client)
    groups(client)
    only(client.delete_topics([options["topic"]]))
    say("step", name="topicIsGone", result=is_soon(lambda: options["topic"] not in names(client)))


def only(futures):
    (future,) = futures.values()
    return future.result(30)


def names(client):
    return client.list_topics(timeout=10).topics


def is_soon(condition):
    """Whether it becomes true in ten seconds: metadata may lag behind a change."""
    for _ in range(50):
        if condition():
            return True
        time.sleep(0.2)
    return False


def topics(client):
    topic = options["topic"]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    only(client.create_topics([NewTopic(topic, 3, 1, config={"retention.ms": "86400000"})]))
    say("step", name="topicIsListed", result=is_soon(lambda: topic in names(client)))
    say("step", name="partitions", result=len(names(client)[topic].partitions))
    say("step", name="retention", result=retention_of(client, resource))
    change = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    only(
        client.incremental_alter_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[change])]
        )
    )
    is_soon(lambda: retention_of(client, resource) == "3600000")
    say("step", name="alteredRetention", result=retention_of(client, resource))
    only(client.create_partitions([NewPartitions(topic, 5)]))
    is_soon(lambda: len(names(client)[topic].partitions) == 5)
    say("step", name="morePartitions", result=len(names(client)[topic].partitions))


def retention_of(client, resource):
    return only(client.describe_configs([resource]))["retention.ms"].value


def groups(client):
    group, source = options["group"], options["source"]
    listed = client.list_consumer_groups().result(30).valid
    say("step", name="groupIsListed", result=group in [entry.group_id for entry in listed])
    description = only(client.describe_consumer_groups([group]))
    say("step", name="groupState", result=description.state.name.title())
    request = ConsumerGroupTopicPartitions(group)
    committed = only(client.list_consumer_group_offsets([request])).topic_partitions
    say("step", name="committed", result=sum(entry.offset for entry in committed))
    only(client.delete_records([TopicPartition(source, 0, 1)]))
    earliest = only(client.list_offsets({TopicPartition(source, 0): OffsetSpec.earliest()}))
    say("step", name="deletedBefore", result=earliest.offset)
    only(client.delete_consumer_groups([group]))
    listed = client.list_consumer_groups().result(30).valid
    say("step", name="groupIsGone", result=group not in [entry.group_id for entry in listed])
