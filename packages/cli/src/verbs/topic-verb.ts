import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, number, texts, withHome, withJson } from './verb-options.ts'

export function addTopicVerb(parser: Argv, choose: Choose): void {
  parser.command('topic <action>', 'Make, list, describe, alter and delete topics', (verb) => {
    const actions = withJson(verb)
      .example('$0 topic create orders --data ./data --partitions 3', '')
      .example('$0 topic alter orders --data ./data --set retention.ms=86400000', '')
      .epilogue(
        'Settings have Kafka’s names, with dots or camel-cased: retention.ms or retentionMs. ' +
          'list and describe take no lock and change nothing. On a server, Varve’s or Kafka’s, a ' +
          'setting may be any that it knows.',
      )
      .demandCommand(1, 'Which action? One of create, list, describe, alter, delete.')
    addCreate(actions, choose)
    addList(actions, choose)
    addDescribe(actions, choose)
    addAlter(actions, choose)
    addDelete(actions, choose)
    return actions
  })
}

function addCreate(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'create <topic>',
    'Make a topic',
    (verb) =>
      withPlacedTopic(verb)
        .option('partitions', { ...number, default: 1, describe: 'How many' })
        .option('replication-factor', {
          ...number,
          describe: 'How many brokers of a cluster keep it  [as they are configured]',
        })
        .option('set', { ...texts, describe: 'A setting, as name=value; more than once' })
        .example('$0 topic create orders --bootstrap-server localhost:9092 --partitions 3', '')
        .example(
          '$0 topic create users --data ./data --set cleanup.policy=compact --set segment.ms=3600000',
          '',
        ),
    (given) =>
      choose(async (io) => {
        const {
          topic,
          json,
          partitions,
          set,
          'replication-factor': replicationFactor = null,
        } = given
        const home = homeOf(given)
        const options = { topic, json, partitions, replicationFactor, set }
        if ('data' in home) {
          const { createTopic } = await import('../commands/topic.ts')
          return createTopic({ ...options, ...home }, io)
        }
        const { createClusterTopic } = await import('../cluster/cluster-topics.ts')
        return createClusterTopic({ ...options, ...home }, io)
      }),
  )
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list',
    'List the topics of a data directory or a server',
    (verb) =>
      withHome(verb)
        .option('internal', { ...flag, describe: 'Kafka’s own topics too' })
        .example('$0 topic list --data ./data', '')
        .example('$0 topic list --bootstrap-server localhost:9092', ''),
    (given) =>
      choose(async (io) => {
        const { internal, json } = given
        const home = homeOf(given)
        if ('data' in home) {
          const { listAllTopics } = await import('../commands/topic.ts')
          return listAllTopics({ ...home, internal, json }, io)
        }
        const { listClusterTopics } = await import('../cluster/cluster-topics.ts')
        return listClusterTopics({ ...home, internal, json }, io)
      }),
  )
}

function addDescribe(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'describe <topic>',
    'Say what a topic is, and how its partitions stand',
    (verb) => withPlacedTopic(verb).example('$0 topic describe orders --data ./data', ''),
    (given) =>
      choose(async (io) => {
        const { topic, json } = given
        const home = homeOf(given)
        if ('data' in home) {
          const { describeTopic } = await import('../commands/topic.ts')
          return describeTopic({ topic, ...home, json }, io)
        }
        const { describeClusterTopic } = await import('../cluster/cluster-topics.ts')
        return describeClusterTopic({ topic, ...home, json }, io)
      }),
  )
}

function addAlter(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'alter <topic>',
    'Change settings, or add partitions',
    (verb) =>
      withPlacedTopic(verb)
        .option('partitions', { ...number, describe: 'How many it shall have: more than it has' })
        .option('set', { ...texts, describe: 'A setting, as name=value; more than once' })
        .option('unset', { ...texts, describe: 'A setting that gets its default back' })
        .example('$0 topic alter orders --data ./data --set retentionBytes=1073741824', ''),
    (given) =>
      choose(async (io) => {
        const { topic, json, set, unset, partitions = null } = given
        const home = homeOf(given)
        const options = { topic, json, set, unset, partitions }
        if ('data' in home) {
          const { alterTopic } = await import('../commands/topic.ts')
          return alterTopic({ ...options, ...home }, io)
        }
        const { alterClusterTopic } = await import('../cluster/cluster-topics.ts')
        return alterClusterTopic({ ...options, ...home }, io)
      }),
  )
}

function addDelete(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'delete <topic>',
    'Delete a topic with its records',
    (verb) =>
      withPlacedTopic(verb)
        .option('yes', { ...flag, describe: 'Do it; else it is only said what would go' })
        .example('$0 topic delete orders --data ./data --yes', ''),
    (given) =>
      choose(async (io) => {
        const { topic, json, yes } = given
        const home = homeOf(given)
        if ('data' in home) {
          const { deleteTopic } = await import('../commands/topic.ts')
          return deleteTopic({ topic, ...home, json, yes }, io)
        }
        const { deleteClusterTopic } = await import('../cluster/cluster-topics.ts')
        return deleteClusterTopic({ topic, ...home, json, yes }, io)
      }),
  )
}

function withPlacedTopic<T>(verb: Argv<T>) {
  return withHome(verb).positional('topic', topicName)
}

const topicName = { type: 'string', demandOption: true, describe: 'Name of the topic' } as const
