import { resolve } from 'node:path'
import type { PlanKind } from '@varve/backup'
import { InvalidArgumentError } from '@varve/record'
import type { Argv } from 'yargs'
import { timeOf } from '../backup/restore-wishes.ts'
import type { BackupRunOptions } from '../backup/run.ts'
import { addHistoryActions } from './backup-history-verbs.ts'
import { addKeyActions } from './backup-key-verbs.ts'
import { addUpkeepActions } from './backup-upkeep-verbs.ts'
import {
  type Choose,
  flag,
  number,
  text,
  texts,
  withJson,
  withKeys,
  withMetrics,
  withPlan,
  withRepository,
} from './verb-options.ts'

export function addBackupVerb(parser: Argv, choose: Choose): void {
  parser.command('backup <action>', 'Back up data directories, and look after backups', (verb) => {
    const actions = withJson(verb)
      .example('$0 backup init ./backups', '')
      .example('$0 backup run ./data ./backups', '')
      .example('$0 backup verify ./backups', '')
      .demandCommand(1, 'Which action? See --help.')
    addInit(actions, choose)
    addRun(actions, choose)
    addSchedule(actions, choose)
    addList(actions, choose)
    addShow(actions, choose)
    addVerify(actions, choose)
    addUpkeepActions(actions, choose)
    addKeyActions(actions, choose)
    addHistoryActions(actions, choose)
    return actions
  })
}

const repositoryPositional = {
  type: 'string',
  demandOption: true,
  describe: 'A directory, or s3://bucket/prefix?endpoint=…',
} as const

function addInit(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'init <repository>',
    'Make a repository, encrypted where a passphrase or recipients are given',
    (verb) =>
      verb
        .positional('repository', repositoryPositional)
        .option('passphrase-file', { ...text, describe: 'A file with the passphrase, first line' })
        .option('recipient', { ...texts, describe: 'A public RSA key in PEM; more than once' })
        .option('object-bytes', { ...number, describe: 'About how large objects are (8 MiB)' })
        .example('$0 backup init ./backups', '')
        .example('$0 backup init ./backups --recipient public.pem', ''),
    ({ repository, passphraseFile, recipient: recipients, objectBytes, json }) =>
      choose(async (io) => {
        const { initRepository } = await import('../backup/init.ts')
        return initRepository({ repository, passphraseFile, recipients, objectBytes, json }, io)
      }),
  )
}

function withSource<T>(verb: Argv<T>) {
  return withPlan(withMetrics(withKeys(verb)))
    .positional('data', {
      type: 'string',
      describe: "A data directory, Varve's or a stopped broker's; another process may have it open",
    })
    .option('full', { ...flag, describe: 'Read and check every byte of the source again' })
    .option('differential', { ...flag, describe: 'On the last full backup alone' })
    .option('independent', { ...flag, describe: 'Full, sharing no object with other backups' })
    .option('tag', { ...texts, describe: 'More than once' })
    .option('source', { ...text, describe: 'The name under which its backups are kept' })
    .option('threads', { ...number, describe: 'One per processor, at most 2 by default' })
    .option('read-limit', { ...number, default: 0, describe: 'Bytes a second; 0 for none' })
    .option('upload-limit', { ...number, default: 0, describe: 'Bytes a second; 0 for none' })
}

interface SourceArguments {
  readonly data: string | undefined
  readonly passphraseFile: string | undefined
  readonly key: string | undefined
  readonly full: boolean
  readonly differential: boolean
  readonly independent: boolean
  readonly tag: readonly string[]
  readonly source: string | undefined
  readonly threads: number | undefined
  readonly readLimit: number
  readonly uploadLimit: number
  readonly metricsFile: string | undefined
  readonly json: boolean
}

function runOptionsOf(
  given: SourceArguments,
  repositories: readonly string[],
  point?: string,
): BackupRunOptions {
  const { full: _, differential: __, tag, data = '', ...rest } = given
  const kind = kindOf(given) ?? 'incremental'
  // The same wherever the command is called from.
  const source = given.source ?? resolve(data)
  const isIndependent = kind === 'independent'
  const what = { data, kind: isIndependent ? 'full' : kind, source, tags: tag } as const
  return { ...rest, ...what, repositories, point }
}

/** Null where nothing is said. */
function kindOf({ full, differential, independent }: SourceArguments): PlanKind | null {
  if ((full || independent) && differential) {
    throw new InvalidArgumentError('differential', true, 'goes neither with full nor independent')
  }
  return independent ? 'independent' : full ? 'full' : differential ? 'differential' : null
}

/** A plan says all of it; else there are a data directory and a repository. */
function isSourceGiven(given: {
  readonly plan: string | undefined
  readonly data: string | undefined
  readonly repositories?: readonly string[] | undefined
  readonly repository?: string | undefined
}): true {
  const { plan, data, repositories, repository = repositories?.[0] } = given
  if (plan !== undefined && data !== undefined) {
    throw new Error('--plan says what is backed up and where to: give no directories beside it')
  }
  if (plan !== undefined) return true
  if (data === undefined) throw new Error('Which data directory, or --plan?')
  if (repository === undefined) throw new Error('Into which repository?')
  return true
}

function addRun(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'run [data] [repositories..]',
    'Take a backup: what earlier ones have is not stored again',
    (verb) =>
      withSource(verb)
        .positional('repositories', { type: 'string', array: true, describe: 'One or more' })
        .option('point', { ...text, describe: 'A name for this moment, to restore it by' })
        .check(isSourceGiven)
        .example('$0 backup run ./data ./backups', '')
        .example('$0 backup run ./data ./backups s3://offsite/varve --point before-release', '')
        .example('$0 backup run --plan backups.json', ''),
    ({ repositories = [], point, plan, ...given }) =>
      choose(async (io) => {
        if (plan !== undefined) {
          const { runPlan } = await import('../backup/plan.ts')
          const { metricsFile, json } = given
          return runPlan({ plan, kind: kindOf(given), point, metricsFile, json }, io)
        }
        const { backUpData } = await import('../backup/run.ts')
        return backUpData(runOptionsOf(given, repositories, point), io)
      }),
  )
}

function addSchedule(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'schedule [data] [repository]',
    'Take backups when a cron expression says so, until stopped',
    (verb) =>
      withSource(verb)
        .positional('repository', { ...repositoryPositional, demandOption: false })
        .option('cron', { ...text, describe: "Like '0 3 * * *'" })
        .option('time-zone', { ...text, default: 'UTC', describe: 'Like Europe/Berlin' })
        .option('jitter', { ...number, default: 0, describe: 'Put off by up to so many ms' })
        .option('skip-missed', { ...flag, describe: 'Do not make up for a run that was missed' })
        .check((given) => {
          if (given.plan === undefined && given.cron === undefined) throw new Error('Which --cron?')
          return isSourceGiven(given)
        })
        .example("$0 backup schedule ./data ./backups --cron '0 3 * * *'", '')
        .example('$0 backup schedule --plan backups.json --metrics-file varve.prom', ''),
    ({ repository = '', cron = '', timeZone, jitter, skipMissed, plan, ...given }) =>
      choose(async (io) => {
        const { metricsFile, json } = given
        if (plan !== undefined) {
          const { schedulePlan } = await import('../backup/plan.ts')
          return schedulePlan({ plan, metricsFile, json }, io)
        }
        const { keepSchedules } = await import('../backup/standing.ts')
        const { lastBackupMs } = await import('../backup/last-backup.ts')
        const job = { ...runOptionsOf(given, []), repository }
        const missed = skipMissed ? 'skip' : 'once'
        const rule = { cron, timeZone, jitterMs: jitter, missed } as const
        const lastRunMs = await lastBackupMs(job, job.source, job.kind)
        return keepSchedules([{ rule, job, lastRunMs }], { metricsFile, json }, io)
      }),
  )
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list <repository>',
    'List the backups, and how old the newest and the last verified one are',
    (verb) =>
      withRepository(verb)
        .option('source', { ...text, describe: 'Of this source only' })
        .example('$0 backup list ./backups', ''),
    ({ repository, passphraseFile, key, source, json }) =>
      choose(async (io) => {
        const { listRepository } = await import('../backup/list.ts')
        return listRepository({ repository, passphraseFile, key, source, json }, io)
      }),
  )
}

function addShow(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'show <repository> [backup]',
    'Show what a backup holds, by partition',
    (verb) =>
      withRepository(verb)
        .positional('backup', { type: 'string', default: 'latest', describe: 'Id, point, latest' })
        .example('$0 backup show ./backups', ''),
    ({ repository, backup, passphraseFile, key, json }) =>
      choose(async (io) => {
        const { showBackup } = await import('../backup/list.ts')
        return showBackup({ repository, backup, passphraseFile, key, json }, io)
      }),
  )
}

function addVerify(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'verify <repository> [backups..]',
    'Read, decrypt and check every byte that backups need',
    (verb) =>
      withMetrics(withRepository(verb))
        .positional('backups', { type: 'string', array: true, default: [], describe: 'Or all' })
        .option('sample', { ...number, default: 100, describe: 'Percent of the objects to read' })
        .option('since', { ...text, describe: 'Only what backups since this time need' })
        .option('threads', { ...number, describe: 'One per processor, at most 2 by default' })
        .option('read-limit', { ...number, default: 0, describe: 'Bytes a second; 0 for none' })
        .example('$0 backup verify ./backups', '')
        .option('accept-lost', { ...texts, describe: 'Id of a backup that is known to be gone' })
        .example('$0 backup verify ./backups --sample 5', '')
        .epilogue('Exits with 1 when anything is missing or damaged, and says which records.'),
    ({ repository, backups, passphraseFile, key, sample, since, threads, ...given }) =>
      choose(async (io) => {
        const { verifyBackups } = await import('../backup/verify.ts')
        const { readLimit, acceptLost, metricsFile, json } = given
        const sinceMs = since === undefined ? undefined : timeOf(since)
        const access = { repository, passphraseFile, key }
        const how = { fraction: sample / 100, sinceMs, threads, readLimit, acceptLost }
        return verifyBackups({ ...access, backups, ...how, metricsFile, json }, io)
      }),
  )
}
