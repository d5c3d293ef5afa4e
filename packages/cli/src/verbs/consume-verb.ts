import type { Argv } from 'yargs'
import { type Choose, flag, number, text, withJson, withPartition } from './verb-options.ts'

export function addConsumeVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'consume <topic>',
    'Print the records of a partition, beside whoever appends to it',
    (verb) =>
      withJson(withPartition(verb))
        .option('from', {
          ...text,
          default: 'earliest',
          describe: 'Where to start: earliest, latest, an offset, or a time in ISO 8601',
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
        .epilogue(
          'JSON objects have offset, timestamp (ms), key, value, and headers where there are any. ' +
            'Keys and values are strings; one that is not UTF-8 stands in base64, and keyEncoding ' +
            'or valueEncoding says so.',
        ),
    (given) =>
      choose(async (io) => {
        const { consume } = await import('../commands/consume.ts')
        return consume(
          {
            ...{ topic: given.topic, data: given.data, partition: given.partition },
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
