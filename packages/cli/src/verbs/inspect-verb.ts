import type { Argv } from 'yargs'
import { type Choose, withJson, withPath } from './verb-options.ts'

export function addInspectVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'inspect <path>',
    'Say what a file, a partition or a data directory holds',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 inspect ./data', '')
        .example('$0 inspect ./data/orders-0 --json', ''),
    (given) =>
      choose(async (io) => {
        const { inspect } = await import('../commands/inspect.ts')
        return inspect({ path: given.path, json: given.json }, io)
      }),
  )
}
