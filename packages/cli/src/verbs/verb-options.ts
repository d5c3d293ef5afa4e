import type { Argv } from 'yargs'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, UsageError } from '../command-io.ts'

/**
 * Remembers the verb that was given: it runs when parsing is over, so that what parsing throws can
 * only be an error of usage.
 */
export type Choose = (run: (io: CommandIo) => Promise<number>) => void

/** What is given more than once counts as it was given last; the parser would make a list of it. */
const single = {
  coerce: (given: unknown): unknown => (Array.isArray(given) ? given.at(-1) : given),
}

export const text: { readonly type: 'string'; readonly requiresArg: true } = {
  ...single,
  type: 'string',
  requiresArg: true,
}
export const number: { readonly type: 'number'; readonly requiresArg: true } = {
  ...single,
  type: 'number',
  requiresArg: true,
}
/** May be given more than once. */
export const texts: {
  readonly type: 'string'
  readonly array: true
  readonly requiresArg: true
  readonly default: string[]
} = { type: 'string', array: true, requiresArg: true, default: [] }
export const flag: { readonly type: 'boolean'; readonly default: false } = {
  ...single,
  type: 'boolean',
  default: false,
}

export function withJson<T>(verb: Argv<T>): Argv<T & { json: boolean }> {
  return verb.option('json', { ...flag, describe: 'Print for machines: JSON, a document a line' })
}

export function withPath<T>(verb: Argv<T>): Argv<T & { path: string }> {
  return verb.positional('path', {
    type: 'string',
    demandOption: true,
    describe: "A file, a partition's directory or a data directory, of Varve or of Kafka",
  })
}

export function withData<T>(verb: Argv<T>): Argv<T & { data: string }> {
  return verb.option('data', { ...text, demandOption: true, describe: 'The data directory' })
}

/** A data directory, or a server in its place. */
export function withHome<T>(verb: Argv<T>): Argv<
  T & {
    data: string | undefined
    'bootstrap-server': string | undefined
    'command-config': string | undefined
  }
> {
  return verb
    .option('data', { ...text, describe: 'The data directory' })
    .option('bootstrap-server', { ...text, describe: 'A server in its place: HOST:PORT' })
    .option('command-config', {
      ...text,
      describe: 'How to log in there, as Kafka’s tools take it',
    })
}

/** Which of the two was given. Throws UsageError. */
export function homeOf(given: {
  /** The verb and its action, as the parser tells them. */
  readonly _: readonly (string | number)[]
  readonly data: string | undefined
  readonly 'bootstrap-server': string | undefined
  readonly 'command-config': string | undefined
}): Home {
  const {
    data,
    'bootstrap-server': bootstrapServer,
    'command-config': commandConfig = null,
  } = given
  if (bootstrapServer === undefined && data !== undefined && commandConfig === null) return { data }
  if (bootstrapServer !== undefined && data === undefined) {
    return { place: { bootstrapServer, commandConfig } }
  }
  const rule = 'Say where: either --data DIR, or --bootstrap-server HOST:PORT.'
  throw new UsageError(rule, `See 'varve ${given._[0]} --help'.`)
}

/** What opens an encrypted repository. */
export function withKeys<T>(
  verb: Argv<T>,
): Argv<T & { 'passphrase-file': string | undefined; key: string | undefined }> {
  return verb
    .option('passphrase-file', { ...text, describe: 'A file with the passphrase, first line' })
    .option('key', { ...text, describe: 'A key file, or a private RSA key in PEM' })
}

export function withRepository<T>(
  verb: Argv<T>,
): Argv<
  T & { repository: string; 'passphrase-file': string | undefined; key: string | undefined }
> {
  return withKeys(
    verb.positional('repository', {
      type: 'string',
      demandOption: true,
      describe: 'A directory, or s3://bucket/prefix?endpoint=…',
    }),
  )
}

/** What monitors backups. */
export function withMetrics<T>(verb: Argv<T>): Argv<T & { 'metrics-file': string | undefined }> {
  return verb.option('metrics-file', {
    ...text,
    describe: 'A file for Prometheus, as node_exporter collects them (*.prom)',
  })
}

/** In place of a data directory and repositories. */
export function withPlan<T>(verb: Argv<T>): Argv<T & { plan: string | undefined }> {
  return verb.option('plan', { ...text, describe: 'A plan of backups: JSON, see docs/backup.md' })
}
