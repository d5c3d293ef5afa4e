import type { Argv } from 'yargs'
import {
  type Choose,
  flag,
  homeOf,
  number,
  text,
  texts,
  withHome,
  withJson,
} from './verb-options.ts'

export function addGroupVerb(parser: Argv, choose: Choose): void {
  parser.command('group <action>', 'List, describe, reset and delete consumer groups', (verb) => {
    const actions = withJson(verb)
      .example('$0 group list --data ./data', '')
      .example('$0 group reset billing --data ./data --topic orders --to earliest --yes', '')
      .epilogue(
        'list and describe take no lock and change nothing. reset and delete show what they would ' +
          'do; with --yes they need the data directory for itself, so no member is active then. On ' +
          'a server, Varve’s or Kafka’s, a group with members is refused.',
      )
      .demandCommand(1, 'Which action? One of list, describe, reset, delete.')
    addList(actions, choose)
    addDescribe(actions, choose)
    addReset(actions, choose)
    addDelete(actions, choose)
    return actions
  })
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list',
    'List the groups, and how far they are behind',
    (verb) =>
      withHome(verb)
        .example('$0 group list --data ./data', '')
        .example('$0 group list --bootstrap-server localhost:9092', ''),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { listGroups } = await import('../commands/group.ts')
        return listGroups({ home, json: given.json }, io)
      }),
  )
}

function addDescribe(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'describe <group>',
    'Show what a group has committed, the end and its lag, by partition',
    (verb) => withGroup(verb).example('$0 group describe billing --data ./data', ''),
    (given) =>
      choose(async (io) => {
        const { group, json } = given
        const home = homeOf(given)
        const { describeGroup } = await import('../commands/group.ts')
        return describeGroup({ group, home, json }, io)
      }),
  )
}

function addReset(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    ['reset <group>', 'reset-offsets <group>'],
    'Set where a group goes on',
    (verb) =>
      withGroup(verb)
        .option('topic', {
          ...texts,
          describe: 'Whose partitions; topic:partition for one of them; more than once',
        })
        .option('to', { ...text, describe: 'earliest, latest, an offset, or a time in ISO 8601' })
        .option('shift-by', { ...number, describe: 'So many records on; back where negative' })
        .option('yes', { ...flag, describe: 'Do it; else it is only shown' })
        .example('$0 group reset billing --data ./data --topic orders --to 2026-11-21T08:00Z', '')
        .example('$0 group reset billing --data ./data --topic orders:2 --shift-by -100 --yes', ''),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { resetGroup } = await import('../commands/group.ts')
        const { group, json, topic: topics, yes } = given
        const where = { to: given.to ?? null, shiftBy: given['shift-by'] ?? null }
        return resetGroup({ group, home, json, topics, ...where, yes }, io)
      }),
  )
}

function addDelete(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'delete <group>',
    'Forget a group and what it has committed',
    (verb) =>
      withGroup(verb)
        .option('yes', { ...flag, describe: 'Do it; else it is only said what would go' })
        .example('$0 group delete billing --data ./data --yes', ''),
    (given) =>
      choose(async (io) => {
        const { group, json, yes } = given
        const home = homeOf(given)
        const { deleteGroup } = await import('../commands/group.ts')
        return deleteGroup({ group, home, json, yes }, io)
      }),
  )
}

function withGroup<T>(verb: Argv<T>) {
  return withHome(verb).positional('group', {
    type: 'string',
    demandOption: true,
    describe: 'Name of the group',
  })
}
