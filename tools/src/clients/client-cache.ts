import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessResult, type RunOptions, runProcess } from '../kafka/run-process.ts'

const repositoryRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** Where the client programs are. */
export const clientSources: string = join(repositoryRoot, 'tools', 'clients')

/** Something that the machine lacks: the reason that tests give for being skipped. */
export class MissingClientError extends Error {
  constructor(message: string) {
    super(message)
    this.name = new.target.name
  }
}

/** How long a package manager may take, compiling included. */
const installTimeoutMs = 10 * 60_000

/**
 * A directory of the cache (`.cache/clients`) that `fill` fills where it is not there already, for
 * these same files of the sources. It counts as filled when that has ended well.
 */
export async function cachedDirectory(
  name: string,
  sources: readonly string[],
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  for (const source of sources) hash.update(readFileSync(source))
  const stamp = hash.digest('hex').slice(0, 12)
  const directory = join(repositoryRoot, '.cache', 'clients', `${name}-${stamp}`)
  const mark = join(directory, '.complete')
  if (existsSync(mark)) return directory
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  await fill(directory)
  writeFileSync(mark, '')
  return directory
}

/** The files of a directory that tell one version of a program from another. */
export function filesOf(directory: string, pattern: RegExp): readonly string[] {
  const names = readdirSync(directory).filter((name) => pattern.test(name))
  return names.sort().map((name) => join(directory, name))
}

/** Runs a package manager or a compiler. Rejects with MissingClientError when it fails. */
export async function install(
  command: string,
  args: readonly string[],
  options: Omit<RunOptions, 'timeoutMs'> = {},
): Promise<ProcessResult> {
  const all = { ...options, timeoutMs: installTimeoutMs }
  const result = await runProcess(command, args, all).catch((error: Error) => {
    throw new MissingClientError(`${command} cannot be run: ${error.message}`)
  })
  if (result.exitCode === 0) return result
  const why = result.timedOut ? 'it takes too long' : lastLineOf(result.stderr)
  throw new MissingClientError(`${command} ${args[0] ?? ''} fails: ${why}`)
}

function lastLineOf(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.at(-1)?.trim() ?? 'no reason given'
}
