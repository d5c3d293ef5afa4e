"""The admin client of kafka-python: 2.0.2 knows less of a broker than the current one."""

import time

import kafka
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

from driving import options, say

IS_OLD = kafka.__version__.startswith("2.0.")


def admin():
    client = KafkaAdminClient(
        bootstrap_servers=options["bootstrap"], client_id=options["clientId"]
    )
    topics(client)
    groups(client)
    client.delete_topics([options["topic"]])
    is_gone = is_soon(lambda: options["topic"] not in client.list_topics())
    say("step", name="topicIsGone", result=is_gone)
    client.close()


def topics(client):
    topic = options["topic"]
    client.create_topics([NewTopic(topic, 3, 1, topic_configs={"retention.ms": "86400000"})])
    say("step", name="topicIsListed", result=is_soon(lambda: topic in client.list_topics()))
    say("step", name="partitions", result=partitions_of(client, topic))
    say("step", name="retention", result=retention_of(client, topic))
    change = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "3600000"})
    client.alter_configs([change])
    is_soon(lambda: retention_of(client, topic) == "3600000")
    say("step", name="alteredRetention", result=retention_of(client, topic))
    client.create_partitions({topic: NewPartitions(5)})
    is_soon(lambda: partitions_of(client, topic) == 5)
    say("step", name="morePartitions", result=partitions_of(client, topic))


def is_soon(condition):
    """Whether it becomes true in ten seconds: a broker may see a change a moment after it."""
    for _ in range(50):
        if condition():
            return True
        time.sleep(0.2)
    return False


def partitions_of(client, topic):
    description = client.describe_topics([topic])
    return len(description[0]["partitions"])


def retention_of(client, topic):
    if IS_OLD:
        (response,) = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        values = {entry[0]: entry[1] for entry in response.resources[0][4]}
        return values["retention.ms"]
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    found = client.describe_configs([resource], config_filter="all")
    return found["topic"][topic]["retention.ms"]["value"]


def groups(client):
    group, source = options["group"], options["source"]
    listed = client.list_consumer_groups() if IS_OLD else client.list_groups()
    names = [entry[0] if IS_OLD else entry["group_id"] for entry in listed]
    say("step", name="groupIsListed", result=group in names)
    if IS_OLD:
        state = client.describe_consumer_groups([group])[0].state
        offsets = client.list_consumer_group_offsets(group)
    else:
        state = client.describe_groups([group])[group]["group_state"]
        offsets = client.list_group_offsets([group])[group]
    say("step", name="groupState", result=str(state))
    say("step", name="committed", result=sum(entry.offset for entry in offsets.values()))
    if not IS_OLD:
        first = TopicPartition(source, 0)
        client.delete_records({first: 1})
        reader = KafkaConsumer(bootstrap_servers=options["bootstrap"])
        say("step", name="deletedBefore", result=reader.beginning_offsets([first])[first])
        reader.close()
    client.delete_consumer_groups([group]) if IS_OLD else client.delete_groups([group])
    listed = client.list_consumer_groups() if IS_OLD else client.list_groups()
    names = [entry[0] if IS_OLD else entry["group_id"] for entry in listed]
    say("step", name="groupIsGone", result=group not in names)
