import type { Argv } from 'yargs'
import { type Choose, flag, number, text, texts, withData, withJson } from './verb-options.ts'

export function addGroupVerb(parser: Argv, choose: Choose): void {
  parser.command('group <action>', 'List, describe, reset and delete consumer groups', (verb) => {
    const actions = withJson(verb)
      .example('$0 group list --data ./data', '')
      .example('$0 group reset billing --data ./data --topic orders --to earliest --yes', '')
      .epilogue(
        'list and describe take no lock and change nothing. reset and delete show what they would ' +
          'do; with --yes they need the data directory for itself, so no member is active then.',
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
    (verb) => withData(verb).example('$0 group list --data ./data', ''),
    ({ data, json }) =>
      choose(async (io) => {
        const { listGroups } = await import('../commands/group.ts')
        return listGroups({ data, json }, io)
      }),
  )
}

function addDescribe(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'describe <group>',
    'Show what a group has committed, the end and its lag, by partition',
    (verb) => withGroup(verb).example('$0 group describe billing --data ./data', ''),
    ({ group, data, json }) =>
      choose(async (io) => {
        const { describeGroup } = await import('../commands/group.ts')
        return describeGroup({ group, data, json }, io)
      }),
  )
}

function addReset(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'reset <group>',
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
        const { resetGroup } = await import('../commands/group.ts')
        const { group, data, json, topic: topics, yes } = given
        const where = { to: given.to ?? null, shiftBy: given['shift-by'] ?? null }
        return resetGroup({ group, data, json, topics, ...where, yes }, io)
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
    ({ group, data, json, yes }) =>
      choose(async (io) => {
        const { deleteGroup } = await import('../commands/group.ts')
        return deleteGroup({ group, data, json, yes }, io)
      }),
  )
}

function withGroup<T>(verb: Argv<T>): Argv<T & { data: string; group: string }> {
  return withData(verb).positional('group', {
    type: 'string',
    demandOption: true,
    describe: 'Name of the group',
  })
}
