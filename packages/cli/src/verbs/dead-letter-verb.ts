import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, number, withHome, withJson } from './verb-options.ts'

export function addDeadLetterVerb(parser: Argv, choose: Choose): void {
  parser.command('dead-letter <action>', 'List and replay records that were given up', (verb) => {
    const actions = withJson(verb)
      .example('$0 dead-letter list orders.dead-letter --data ./data', '')
      .example('$0 dead-letter replay orders.dead-letter --data ./data --yes', '')
      .example('$0 dead-letter list orders.dead-letter --bootstrap-server localhost:9092', '')
      .epilogue(
        'The topic is the dead-letter topic itself. list changes nothing, and takes no lock; ' +
          'replay --yes needs the data directory for itself. On a server, of Varve’s or Kafka’s, ' +
          'with --bootstrap-server, both read and send as its clients do.',
      )
      .demandCommand(1, 'Which action? One of list, replay.')
    addList(actions, choose)
    addReplay(actions, choose)
    return actions
  })
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list <topic>',
    'Show where each was, how often it was tried, and the error',
    (verb) =>
      withTopic(verb)
        .option('max', { ...number, describe: 'Stop after so many' })
        .example('$0 dead-letter list orders.dead-letter --data ./data --json', ''),
    (given) =>
      choose(async (io) => {
        const { listDeadLetters } = await import('../commands/dead-letter.ts')
        const { topic, json, max = null } = given
        return listDeadLetters({ topic, home: homeOf(given), json, max }, io)
      }),
  )
}

function addReplay(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'replay <topic>',
    'Send those that were not replayed yet back to where they came from',
    (verb) =>
      withTopic(verb)
        .option('to-original-partition', {
          ...flag,
          describe: 'To the partition where each was; else the key decides',
        })
        .option('yes', { ...flag, describe: 'Do it; else they are only counted' })
        .example('$0 dead-letter replay orders.dead-letter --data ./data --yes', ''),
    (given) =>
      choose(async (io) => {
        const { replay } = await import('../commands/dead-letter.ts')
        const { topic, json, yes } = given
        const toOriginalPartition = given['to-original-partition']
        return replay({ topic, home: homeOf(given), json, yes, toOriginalPartition }, io)
      }),
  )
}

function withTopic<T>(verb: Argv<T>) {
  return withHome(verb).positional('topic', {
    type: 'string',
    demandOption: true,
    describe: 'Name of the dead-letter topic',
  })
}
