import type { VarveError } from '@varve/record'
import { ClosedPipeError, type CommandIo, exitCodes } from './command-io.ts'
import { parseCommand } from './commands.ts'
import { openProcessIo } from './process-io.ts'

/**
 * Runs the command `varve` with the arguments behind its name, and resolves with the exit code. The
 * only place that turns errors into exit codes and prints them: 0 fine, 1 findings, 2 usage,
 * 3 failure. Never rejects, and leaves ending the process to its caller.
 *
 * @param io what stands in for the process's streams, signals and clock; its own by default
 */
export async function main(argv: readonly string[], io?: CommandIo): Promise<number> {
  if (io !== undefined) return runCommand(argv, io)
  using ownIo = openProcessIo()
  return await runCommand(argv, ownIo)
}

async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const parsed = await parseCommand(argv, io.stdout.columns)
    if (parsed.kind === 'command') return await parsed.run(io)
    await io.stdout.write(`${parsed.text}\n`)
    return exitCodes.fine
  } catch (error) {
    return await reportError(firstCause(error), argv, io)
  }
}

async function reportError(
  error: unknown,
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  if (error instanceof ClosedPipeError) return exitCodes.fine
  const description = describe(error, argv)
  const text = isJson(argv)
    ? `${JSON.stringify({ error: description })}\n`
    : explain(error, description)
  // Where nobody reads errors either, the exit code has to say it.
  await io.stderr.write(text).catch(() => undefined)
  const isUsage = isVarveError(error) && usageCodes.has(error.code)
  return isUsage ? exitCodes.usage : exitCodes.failure
}

interface ErrorDescription {
  readonly code: string | null
  readonly message: string
  readonly hint?: string
  /** Of an error that nobody foresaw. */
  readonly stack?: string
}

function describe(error: unknown, argv: readonly string[]): ErrorDescription {
  if (!(error instanceof Error)) return { code: null, message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null
  const hint = hintOf(error, argv)
  const isOurMistake = !isForeseen(error)
  const stack = isOurMistake ? error.stack : undefined
  return {
    ...{ code, message: error.message },
    ...(hint !== undefined && { hint }),
    ...(stack !== undefined && { stack }),
  }
}

/**
 * Where closing what was open fails as well, as on a disk that is full, what came first says why.
 * By its name: Node 20 does not have the class, and the compiler stands in for it.
 */
function firstCause(error: unknown): unknown {
  const isSuppressing = error instanceof Error && error.name === 'SuppressedError'
  return isSuppressing && 'suppressed' in error ? firstCause(error.suppressed) : error
}

/** What the library says to programs is said here to whoever types. */
function hintOf(error: Error, [verb]: readonly string[]): string | undefined {
  // By its code: the class would load the whole library for every verb.
  if ('code' in error && error.code === 'VARVE_TOPIC_NOT_FOUND' && 'partition' in error) {
    const isWhole = error.partition === null
    if (verb !== 'produce')
      return isWhole ? 'varve topic list shows those that are there' : undefined
    return isWhole ? 'make it with varve topic create' : 'varve topic alter --partitions adds some'
  }
  if ('code' in error && error.code === 'VARVE_GROUP_NOT_FOUND') {
    return 'varve group list shows those that are there'
  }
  if ('code' in error && error.code === 'VARVE_INSECURE_LISTENER') {
    const others = 'SASL_SSL, or SSL with required certificates'
    const flag = '--allow-anonymous-network-clients'
    return `have clients log in (${others}), listen on 127.0.0.1, or say that it is meant: ${flag}`
  }
  if ('code' in error && error.code === 'VARVE_CLUSTER_AUTHENTICATION') {
    return 'say who you are, by what mechanism, and whom to trust, with --command-config FILE'
  }
  return isVarveError(error) ? error.hint : undefined
}

function explain(error: unknown, { message, hint }: ErrorDescription): string {
  if (isForeseen(error)) {
    return `varve: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`
  }
  // Not foreseen, so it is a mistake of ours: whoever reports it needs the stack.
  return `varve: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
}

/**
 * What the operating system refused, too, is the world's doing; its message says what and where.
 */
function isForeseen(error: unknown): boolean {
  return isVarveError(error) || (error instanceof Error && 'syscall' in error)
}

/** By its code: a verb may come in files of its own, with classes of its own. */
function isVarveError(error: unknown): error is VarveError {
  if (!(error instanceof Error) || !('code' in error)) return false
  return typeof error.code === 'string' && error.code.startsWith('VARVE_')
}

/** A plan stands for arguments. */
const usageCodes: ReadonlySet<string> = new Set([
  'VARVE_USAGE',
  'VARVE_INVALID_ARGUMENT',
  'VARVE_INVALID_PLAN',
])

/** Looked for without parsing: an error of usage is an error too. */
function isJson(argv: readonly string[]): boolean {
  return argv.includes('--json')
}
