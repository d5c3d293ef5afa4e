import type { Argv } from 'yargs'
import { type Choose, withJson, withPath } from './verb-options.ts'

export function addVerifyVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'verify <path>',
    'Check every byte, and print what is wrong',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 verify ./data', '')
        .example('$0 verify ./data/orders-0 --json', '')
        .epilogue('Takes no lock and writes nothing. Exits with 1 at an error or a warning.'),
    (given) =>
      choose(async (io) => {
        const { verify } = await import('../commands/verify.ts')
        return verify({ path: given.path, json: given.json }, io)
      }),
  )
}
