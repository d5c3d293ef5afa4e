import type { Argv } from 'yargs'
import { type Choose, flag, number, withJson, withPath } from './verb-options.ts'

export function addDumpVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'dump <path>',
    'Print batches, records and index entries one by one',
    (verb) =>
      withJson(withPath(verb))
        .option('records', { ...flag, describe: 'Print the records in the batches too' })
        .option('from', { ...number, describe: 'Leave out what lies before this offset' })
        .option('max', {
          ...number,
          describe: 'Stop after so many batches, or records with --records',
        })
        .option('digest', {
          ...flag,
          describe: 'With --json: length and SHA-256 of values over 256 bytes',
        })
        .example('$0 dump ./data/orders-0 --records --max 10', '')
        .example('$0 dump ./data/orders-0/00000000000000000000.index', '')
        .epilogue(
          'Of a directory, the segment files are printed, in the order of their names; with --from ' +
            'or --max only the .log files. Any other file is printed when it is named itself.',
        ),
    (given) =>
      choose(async (io) => {
        const { dump } = await import('../commands/dump.ts')
        return dump(
          {
            path: given.path,
            records: given.records,
            from: given.from ?? null,
            max: given.max ?? null,
            digest: given.digest,
            json: given.json,
          },
          io,
        )
      }),
  )
}
