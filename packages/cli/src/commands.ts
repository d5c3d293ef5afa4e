import { createRequire } from 'node:module'
import yargs, { type Argv } from 'yargs'
import { type CommandIo, UsageError } from './command-io.ts'
import { wrongNumber } from './number-check.ts'
import { addAclVerb } from './verbs/acl-verb.ts'
import { addBackupVerb } from './verbs/backup-verb.ts'
import { addBenchVerb } from './verbs/bench-verb.ts'
import { addCompactVerb, addRetentionVerb } from './verbs/cleaning-verbs.ts'
import { addConsumeVerb } from './verbs/consume-verb.ts'
import { addDeadLetterVerb } from './verbs/dead-letter-verb.ts'
import { addDumpVerb } from './verbs/dump-verb.ts'
import { addGroupVerb } from './verbs/group-verb.ts'
import { addInspectVerb } from './verbs/inspect-verb.ts'
import { addProduceVerb } from './verbs/produce-verb.ts'
import { addReindexVerb } from './verbs/reindex-verb.ts'
import { addRepairVerb } from './verbs/repair-verb.ts'
import { addReplayVerb } from './verbs/replay-verb.ts'
import { addRestoreVerb } from './verbs/restore-verb.ts'
import { addServeVerb } from './verbs/serve-verb.ts'
import { addStatsVerb } from './verbs/stats-verb.ts'
import { addTopicVerb } from './verbs/topic-verb.ts'
import { addUserVerb } from './verbs/user-verb.ts'
import type { Choose } from './verbs/verb-options.ts'
import { addVerifyVerb } from './verbs/verify-verb.ts'

/** What the arguments ask for. */
export type ParsedCommand =
  | { readonly kind: 'command'; readonly run: (io: CommandIo) => Promise<number> }
  /** Help or version. */
  | { readonly kind: 'text'; readonly text: string }

/**
 * Reads the arguments. What a verb takes stands in `verbs/`; what it does is a function of its own
 * in `commands/`, loaded when it is asked for and usable without this parser. Rejects with
 * UsageError.
 */
export async function parseCommand(
  argv: readonly string[],
  columns: number,
): Promise<ParsedCommand> {
  let chosen: ParsedCommand | null = null
  const parser = buildParser(argv, columns, (run) => {
    chosen = { kind: 'command', run }
    throw new ParsedError()
  })
  let text = ''
  const keepText = (_error: unknown, _arguments: unknown, output: string): void => {
    text = output
  }
  try {
    await parser.parseAsync([...argv], {}, keepText)
  } catch (error) {
    if (chosen !== null) return chosen
    throw usageError(error instanceof Error ? error.message : String(error), argv)
  }
  return { kind: 'text', text }
}

const tooFew = 'Something is missing behind the verb: $1 given, at least $2 needed.'

/** What the parser complains of, in the words of this command. */
function usageError(complaint: string, argv: readonly string[]): UsageError {
  const message = complaint
    .replace(/^Not enough non-option arguments: got (\d+), need at least (\d+)$/, tooFew)
    .replace(/^Missing required arguments?: /, '$&--')
  const verb = argv.find((argument) => !argument.startsWith('-'))
  if (verb === undefined) return new UsageError(message, "See 'varve --help'.")
  if (!Object.hasOwn(verbs, verb)) {
    // The parser finds something alike for whatever is typed.
    const meant = message.startsWith(`Did you mean ${verb[0]}`) ? ` ${message}` : ''
    return new UsageError(`There is no verb '${verb}'.${meant}`, "See 'varve --help'.")
  }
  const hint = `See 'varve ${verb} --help'.`
  const wantsServer = argv.some((argument) => argument.startsWith('--bootstrap-server'))
  if (wantsServer && /: (--data|bootstrap-server)/.test(message)) {
    return new UsageError(
      `varve ${verb} cannot ask a server: it needs the files, --data DIR.`,
      hint,
    )
  }
  return new UsageError(message, hint)
}

/**
 * Ends the parser once it has found a verb: it would go on to put the help together, in case
 * somebody asked for it, and take longer for that than for all the rest.
 */
class ParsedError extends Error {}

/** In the order in which the help lists them. */
const verbs: Readonly<Record<string, (parser: Argv, choose: Choose) => void>> = {
  serve: addServeVerb,
  produce: addProduceVerb,
  consume: addConsumeVerb,
  topic: addTopicVerb,
  group: addGroupVerb,
  user: addUserVerb,
  acl: addAclVerb,
  'dead-letter': addDeadLetterVerb,
  retention: addRetentionVerb,
  compact: addCompactVerb,
  stats: addStatsVerb,
  backup: addBackupVerb,
  replay: addReplayVerb,
  restore: addRestoreVerb,
  inspect: addInspectVerb,
  dump: addDumpVerb,
  verify: addVerifyVerb,
  repair: addRepairVerb,
  reindex: addReindexVerb,
  bench: addBenchVerb,
}

/** Knows all verbs, or only the one that the arguments begin with: that is sooner done. */
function buildParser(argv: readonly string[], columns: number, choose: Choose): Argv {
  const parser = yargs()
    .scriptName('varve')
    .usage('$0 <verb>\n\nAppend-only logs on disk, with the bytes of Apache Kafka.')
    .locale('en')
    .exitProcess(false)
    .fail(false)
    .strict()
    .recommendCommands()
    .demandCommand(1, `Which verb? One of ${Object.keys(verbs).join(', ')}.`)
    .check((parsed) => {
      const wrong = wrongNumber(parsed, argv)
      if (wrong === null) return true
      throw new Error(wrong)
    }, true)
    .version(packageVersion())
    .alias({ h: 'help' })
    .epilogue('Exit codes: 0 fine, 1 findings, 2 usage, 3 failure.')
    .wrap(Math.min(columns, 100))
    .parserConfiguration({ 'boolean-negation': false })
  const [first = ''] = argv
  const verb = Object.hasOwn(verbs, first) ? verbs[first] : undefined
  for (const add of verb === undefined ? Object.values(verbs) : [verb]) add(parser, choose)
  return parser
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  return version
}
