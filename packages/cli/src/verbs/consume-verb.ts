import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, number, text, withHome, withJson } from './verb-options.ts'

export function addConsumeVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'consume <topic>',
    'Print the records of a partition, or those that a group has yet to read',
    (verb) =>
      withHome(withJson(verb))
        .positional('topic', { type: 'string', demandOption: true, describe: 'Name of the topic' })
        .option('partition', { ...number, describe: 'Which of its partitions; 0 without --group' })
        .option('group', {
          ...text,
          describe: 'Read all partitions in this group’s name, and commit what was printed',
        })
        .option('from', {
          ...text,
          default: 'earliest',
          describe:
            'Where to start: earliest, latest, an offset, or a time in ISO 8601; with --group ' +
            'where nothing has been committed',
        })
        .option('max', { ...number, describe: 'Stop after so many records' })
        .option('follow', { ...flag, describe: 'At the end, wait for more' })
        .option('format', {
          choices: ['value', 'json'] as const,
          default: 'value',
          describe: 'A value a line, or a JSON object a line',
        })
        .option('isolation', {
          choices: ['uncommitted', 'committed'] as const,
          default: 'uncommitted',
          describe: 'Whether records of open and aborted transactions are left out',
        })
        .example('$0 consume orders --data ./data --max 10 --format json', '')
        .example('$0 consume orders --data ./data --from 2026-11-21T08:00Z --follow', '')
        .example('$0 consume orders --data ./data --group billing', '')
        .example('$0 consume orders --bootstrap-server localhost:9092 --group billing --follow', '')
        .epilogue(
          'JSON objects have offset, timestamp (ms), key, value, and headers where there are any. ' +
            'Keys and values are strings; one that is not UTF-8 stands in base64, and keyEncoding ' +
            'or valueEncoding says so. With --group they have their partition too. ' +
            'A partition is read beside whoever appends to it; --group needs the data directory ' +
            'for itself. On a server, Varve’s or Kafka’s, it is one member among others.',
        ),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { consume } = await import('../commands/consume.ts')
        return consume(
          {
            ...{ topic: given.topic, home },
            partition: given.partition ?? null,
            group: given.group ?? null,
            from: given.from,
            max: given.max ?? null,
            follow: given.follow,
            format: given.json ? 'json' : (given.format as 'value' | 'json'),
            isolation: given.isolation as 'uncommitted' | 'committed',
          },
          io,
        )
      }),
  )
}
