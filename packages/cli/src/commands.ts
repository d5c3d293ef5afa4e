import { createRequire } from 'node:module'
import yargs, { type Argv } from 'yargs'
import { type CommandIo, UsageError } from './command-io.ts'
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
    const message = error instanceof Error ? error.message : String(error)
    const verb = argv.find((argument) => !argument.startsWith('-'))
    const about = verb !== undefined && Object.hasOwn(verbs, verb) ? `varve ${verb}` : 'varve'
    throw new UsageError(message, `See '${about} --help'.`)
  }
  return { kind: 'text', text }
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
    .demandCommand(1, `Which verb? One of ${Object.keys(verbs).join(', ')}.`)
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
