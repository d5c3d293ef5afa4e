import type { Argv } from 'yargs'
import { type Choose, flag, number, text, texts, withJson, withKeys } from './verb-options.ts'

export function addRestoreVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'restore [repository]',
    'Restore a backup into a data directory, to any offset or moment',
    (verb) =>
      withKeys(withJson(verb))
        .positional('repository', { type: 'string', describe: 'A directory, or s3://bucket/…' })
        .option('to', { ...text, demandOption: true, describe: 'The data directory to be made' })
        .option('backup', { ...text, default: 'latest', describe: 'Id, point, or latest' })
        .option('at', { ...text, describe: 'To before what is younger than this time' })
        .option('offset', { ...texts, describe: 'topic-partition=N, to before it; more than once' })
        .option('stable', { ...flag, describe: 'To before transactions that are not decided' })
        .option('topic', { ...texts, describe: 'topic, or topic:partition; more than once' })
        .option('rename', { ...texts, describe: 'old=new; more than once' })
        .option('in-place', { ...flag, describe: 'Replace the directory; the old one is kept' })
        .option('undo', { ...flag, describe: 'Put back what a restore in place replaced' })
        .option('finish', { ...flag, describe: 'Complete what was cut short as it took its place' })
        .option('follow', { ...flag, describe: 'Keep it like the newest backup, until stopped' })
        .option('interval', { ...text, default: '1s', describe: 'How often it is looked for one' })
        .option('source', { ...text, describe: 'Follow the backups of this source alone' })
        .option('dry-run', { ...flag, describe: 'Only say what would be restored' })
        .option('allow-damage', { ...flag, describe: 'Restore what was damaged in the source' })
        .option('no-hold', { ...flag, describe: 'Let retention delete restored records at once' })
        .option('threads', { ...number, describe: 'One per processor, at most 2 by default' })
        .option('read-limit', { ...number, default: 0, describe: 'Bytes a second; 0 for none' })
        .check(checkWishes)
        .example('$0 restore ./backups --to ./restored', '')
        .example('$0 restore ./backups --to ./data --in-place --at 2026-11-21T06:00:00Z', '')
        .example('$0 restore ./backups --to ./standby --follow', '')
        .example('$0 restore --undo --to ./data', '')
        .example('$0 restore --finish --to ./data', '')
        .epilogue(
          'What is restored is put together beside its place and swapped in at the end, so an ' +
            'interrupted restore changes nothing; run again, it goes on.',
        ),
    (given) =>
      choose(async (io) => {
        const { finishData, restoreData, undoData } = await import('../commands/restore.ts')
        const { to, json, repository = '', passphraseFile, key, backup, at } = given
        if (given.finish) return finishData({ to, json }, io)
        if (given.undo) return undoData({ to, json }, io)
        if (given.follow) {
          const { durationMs } = await import('../backup/duration-argument.ts')
          const { followBackups } = await import('../backup/standby.ts')
          const intervalMs = durationMs('interval', given.interval)
          return followBackups({ ...given, repository, intervalMs, topics: given.topic }, io)
        }
        const { stable, inPlace, dryRun, allowDamage, threads, readLimit } = given
        const wishes = { at, offsets: given.offset, stable, topics: given.topic }
        const how = { inPlace, dryRun, allowDamage, holdRetention: !given.noHold }
        const access = { repository, passphraseFile, key }
        return restoreData(
          {
            ...access,
            ...wishes,
            renames: given.rename,
            ...how,
            to,
            backup,
            threads,
            readLimit,
            json,
          },
          io,
        )
      }),
  )
}

interface GivenWishes {
  readonly repository: string | undefined
  readonly undo: boolean
  readonly finish: boolean
  readonly follow: boolean
  readonly 'in-place': boolean
  readonly 'dry-run': boolean
  readonly stable: boolean
  readonly 'no-hold': boolean
  readonly at: string | undefined
  readonly offset: readonly string[]
  readonly rename: readonly string[]
  readonly source: string | undefined
  readonly backup: string
}

function checkWishes(given: GivenWishes): true {
  const { repository, undo, finish, 'in-place': inPlace, 'dry-run': dryRun } = given
  checkFollow(given)
  if (undo && (inPlace || dryRun)) throw new Error('--undo goes with no other wish')
  if (finish && (undo || inPlace || dryRun)) throw new Error('--finish goes with no other wish')
  if (undo || finish || repository !== undefined) return true
  throw new Error('Which repository?')
}

/** A standby is all of what the newest backup has, as it is. */
function checkFollow(given: GivenWishes): void {
  const { follow, undo, finish, stable, at, offset, rename } = given
  const isElsewhere = given['in-place'] || given['dry-run'] || given['no-hold']
  const isFlagged = undo || finish || stable || isElsewhere
  const isPointed = at !== undefined || offset.length + rename.length > 0
  if (follow && (isFlagged || isPointed || given.backup !== 'latest')) {
    throw new Error('--follow keeps the newest backup as it is: of these it goes with --topic')
  }
  if (!follow && given.source !== undefined) throw new Error('--source goes with --follow')
}
