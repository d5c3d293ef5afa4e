import type { Argv } from 'yargs'
import { type Choose, withJson, withPath } from './verb-options.ts'

export function addReindexVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'reindex <path>',
    'Make indexes and digests anew from the records',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 reindex ./data/orders-0', '')
        .example('$0 reindex ./data/orders-0/00000000000000000000.log', '')
        .epilogue('The log must be closed.'),
    (given) =>
      choose(async (io) => {
        const { reindex } = await import('../commands/reindex.ts')
        return reindex({ path: given.path, json: given.json }, io)
      }),
  )
}
