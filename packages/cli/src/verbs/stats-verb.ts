import type { Argv } from 'yargs'
import { type Choose, flag, number, withData, withJson } from './verb-options.ts'

export function addStatsVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'stats',
    'Show topics with their records and bytes, and how far groups are behind',
    (verb) =>
      withData(withJson(verb))
        .option('watch', { ...flag, describe: 'Look again and again, with rates, until Ctrl-C' })
        .option('interval', { ...number, default: 2, describe: 'Seconds between two looks' })
        .option('internal', { ...flag, describe: 'Kafka’s own topics too' })
        .example('$0 stats --data ./data', '')
        .example('$0 stats --data ./data --watch --interval 1', '')
        .epilogue(
          'Takes no lock and changes nothing. With --watch, on a terminal the table is redrawn in ' +
            'place; elsewhere each look prints one. Records are counted by offsets: what ' +
            'compaction removed is in the number. It needs the files; of a server, topic describe ' +
            'and group list tell the same.',
        ),
    ({ data, watch, interval, internal, json }) =>
      choose(async (io) => {
        const { showStats } = await import('../commands/stats.ts')
        return showStats({ data, watch, interval, internal, json }, io)
      }),
  )
}
