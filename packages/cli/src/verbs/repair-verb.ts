import type { Argv } from 'yargs'
import { type Choose, flag, withJson, withPath } from './verb-options.ts'

export function addRepairVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'repair <path>',
    'Show how a damaged log can be made whole; with --yes, do it',
    (verb) =>
      withJson(withPath(verb))
        .option('yes', { ...flag, describe: 'Carry the plan out' })
        .example('$0 repair ./data/orders-0', '')
        .example('$0 repair ./data/orders-0 --yes', '')
        .epilogue(
          'The log must be closed. What is taken out of it is kept beside it, in .broken files. ' +
            'Exits with 1 when something is left to be repaired.',
        ),
    (given) =>
      choose(async (io) => {
        const { repair } = await import('../commands/repair.ts')
        return repair({ path: given.path, yes: given.yes, json: given.json }, io)
      }),
  )
}
