import type { KeepPolicy } from '@varve/backup'
import type { Argv } from 'yargs'
import {
  type Choose,
  flag,
  number,
  text,
  texts,
  withKeys,
  withMetrics,
  withPlan,
  withRepository,
} from './verb-options.ts'

/** The actions of `varve backup` that look after a repository, and the ones that stand by. */
export function addUpkeepActions(parser: Argv<{ json: boolean }>, choose: Choose): void {
  addPrune(parser, choose)
  addHolds(parser, choose)
  addMirror(parser, choose)
  addDrill(parser, choose)
  addFollow(parser, choose)
  addAudit(parser, choose)
}

function addPrune(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'prune [repository]',
    'Show which backups a policy keeps; with --execute remove the others',
    (verb) =>
      withPlan(withKeys(verb))
        .positional('repository', {
          type: 'string',
          describe: 'A directory, or s3://bucket/prefix?endpoint=…',
        })
        .option('keep-last', { ...number, describe: 'So many of the newest' })
        .option('keep-hourly', { ...number, describe: 'The newest of each of so many hours' })
        .option('keep-daily', { ...number, describe: '… days' })
        .option('keep-weekly', { ...number, describe: '… weeks' })
        .option('keep-monthly', { ...number, describe: '… months' })
        .option('keep-yearly', { ...number, describe: '… years' })
        .option('keep-within', { ...text, describe: 'All that are younger, like 48h or 30d' })
        .option('keep-tag', {
          ...texts,
          describe: 'All with this tag; more than once; needs a key',
        })
        .option('keep-verified', { ...number, default: 1, describe: 'At least so many verified' })
        .option('grace', { ...text, default: '1d', describe: 'How long unneeded objects wait' })
        .option('execute', { ...flag, describe: 'Do it; else it is only shown' })
        .check(({ plan, repository }) => {
          if ((plan === undefined) !== (repository === undefined)) return true
          throw new Error('Which repository, or --plan?')
        })
        .example('$0 backup prune ./backups --keep-last 7 --keep-weekly 8', '')
        .example('$0 backup prune ./backups --keep-within 30d --execute', '')
        .epilogue(
          'Needs no key. Manifests go first, objects when they have been unneeded for the grace; ' +
            'not beside a running backup. Held backups stay.',
        ),
    (given) =>
      choose(async (io) => {
        const { durationMs } = await import('../backup/duration-argument.ts')
        const { pruneRepository } = await import('../backup/upkeep.ts')
        const { plan, repository = '', passphraseFile, key, execute, json } = given
        if (plan !== undefined) {
          const { prunePlan } = await import('../backup/plan.ts')
          return prunePlan({ plan, execute, json }, io)
        }
        const graceMs = durationMs('grace', given.grace)
        const access = { repository, passphraseFile, key }
        return pruneRepository(
          { ...access, policy: policyOf(given, durationMs), execute, graceMs, json },
          io,
        )
      }),
  )
}

interface PolicyArguments {
  readonly keepLast: number | undefined
  readonly keepHourly: number | undefined
  readonly keepDaily: number | undefined
  readonly keepWeekly: number | undefined
  readonly keepMonthly: number | undefined
  readonly keepYearly: number | undefined
  readonly keepWithin: string | undefined
  readonly keepTag: readonly string[]
  readonly keepVerified: number
}

function policyOf(
  given: PolicyArguments,
  durationMs: (option: string, text: string) => number,
): KeepPolicy {
  return {
    last: given.keepLast ?? 0,
    hourly: given.keepHourly ?? 0,
    daily: given.keepDaily ?? 0,
    weekly: given.keepWeekly ?? 0,
    monthly: given.keepMonthly ?? 0,
    yearly: given.keepYearly ?? 0,
    withinMs: given.keepWithin === undefined ? 0 : durationMs('keep-within', given.keepWithin),
    tags: given.keepTag,
    verified: given.keepVerified,
  }
}

function addHolds(parser: Argv<{ json: boolean }>, choose: Choose): void {
  for (const [name, what] of [
    ['hold', 'Keep a backup from being pruned'],
    ['release', 'Let a held backup be pruned again'],
  ] as const) {
    parser.command(
      `${name} <repository> <backup>`,
      what,
      (verb) =>
        withRepository(verb)
          .positional('backup', { type: 'string', demandOption: true, describe: 'Its id' })
          .example(`$0 backup ${name} ./backups 20261121T0612`, ''),
      ({ repository, backup, json }) =>
        choose(async (io) => {
          const { holdOne, releaseOne } = await import('../backup/upkeep.ts')
          const run = name === 'hold' ? holdOne : releaseOne
          return run({ repository, backup, json }, io)
        }),
    )
  }
}

function addMirror(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'mirror <from> <to>',
    'Copy what a second repository lacks, as it is, without a key',
    (verb) =>
      verb
        .positional('from', { type: 'string', demandOption: true, describe: 'A repository' })
        .positional('to', { type: 'string', demandOption: true, describe: 'Another, or none yet' })
        .option('remove-others', { ...flag, describe: 'Remove backups that the first has not' })
        .example('$0 backup mirror ./backups s3://offsite/varve', ''),
    ({ from, to, removeOthers, json }) =>
      choose(async (io) => {
        const { mirrorTo } = await import('../backup/upkeep.ts')
        return mirrorTo({ from, to, removeOthers, json }, io)
      }),
  )
}

function addDrill(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'drill <repository>',
    'Restore into a scratch directory, check it, and say how long recovery takes',
    (verb) =>
      withMetrics(withRepository(verb))
        .option('backup', { ...text, default: 'latest', describe: 'Id, point, or latest' })
        .option('scratch', { ...text, demandOption: true, describe: 'Made, and removed again' })
        .example('$0 backup drill ./backups --scratch /tmp/drill', ''),
    ({ repository, passphraseFile, key, backup, scratch, metricsFile, json }) =>
      choose(async (io) => {
        const { drillBackup } = await import('../backup/drill.ts')
        const access = { repository, passphraseFile, key }
        return drillBackup({ ...access, backup, scratch, metricsFile, json }, io)
      }),
  )
}

function addFollow(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'follow <data> <repository>',
    'Back up whenever there is something new, once a second at most, until stopped',
    (verb) =>
      withMetrics(
        withRepository(verb).positional('data', {
          type: 'string',
          demandOption: true,
          describe: 'A data directory, which another process may have open',
        }),
      )
        .option('interval', { ...text, default: '1s', describe: 'How often it is looked' })
        .option('source', { ...text, describe: 'The name under which its backups are kept' })
        .example('$0 backup follow ./data ./backups', ''),
    ({ data, repository, passphraseFile, key, interval, source, metricsFile, json }) =>
      choose(async (io) => {
        const { durationMs } = await import('../backup/duration-argument.ts')
        const { followSource } = await import('../backup/standing.ts')
        const intervalMs = durationMs('interval', interval)
        const access = { repository, passphraseFile, key }
        return followSource({ ...access, data, source, intervalMs, metricsFile, json }, io)
      }),
  )
}

function addAudit(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'audit <repository>',
    'Print what was removed from a repository, and check that this record was not edited',
    (verb) => withRepository(verb).example('$0 backup audit ./backups', ''),
    ({ repository, passphraseFile, key, json }) =>
      choose(async (io) => {
        const { showAudit } = await import('../backup/upkeep.ts')
        return showAudit({ repository, passphraseFile, key, json }, io)
      }),
  )
}
