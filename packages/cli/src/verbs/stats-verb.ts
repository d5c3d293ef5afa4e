import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, number, withHome, withJson } from './verb-options.ts'

export function addStatsVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'stats',
    'Show topics with their records and bytes, and how far groups are behind',
    (verb) =>
      withHome(withJson(verb))
        .option('watch', { ...flag, describe: 'Look again and again, with rates, until Ctrl-C' })
        .option('interval', { ...number, default: 2, describe: 'Seconds between two looks' })
        .option('internal', { ...flag, describe: 'Kafka’s own topics too' })
        .example('$0 stats --data ./data', '')
        .example('$0 stats --data ./data --watch --interval 1', '')
        .example('$0 stats --bootstrap-server localhost:9092 --watch', '')
        .epilogue(
          'Takes no lock and changes nothing. With --watch, on a terminal the table is redrawn in ' +
            'place; elsewhere each look prints one. Records are counted by offsets: what ' +
            'compaction removed is in the number. A server, Varve’s or Kafka’s, is asked with ' +
            '--bootstrap-server; sizes it tells those who may describe the cluster.',
        ),
    (given) =>
      choose(async (io) => {
        const { showStats } = await import('../commands/stats.ts')
        const { watch, interval, internal, json } = given
        return showStats({ home: homeOf(given), watch, interval, internal, json }, io)
      }),
  )
}
