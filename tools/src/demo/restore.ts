import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  BackupCatalogue,
  type BackupReport,
  DirectoryTarget,
  Repository,
  type RestoreReport,
  restoreBackup,
} from '@varve/backup'
import { type DirectoryVarve, openDataDirectory, restoreHooks } from '@varve/broker'
import { openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import type { CorpusFile } from './corpus.ts'
import { partition, topic } from './demo-settings.ts'

/** What backing up, destroying and restoring has shown. */
export interface RestoreProof {
  readonly full: BackupReport
  readonly added: number
  readonly incremental: BackupReport
  readonly restored: RestoreReport
  /** It was restored to before this offset, in the midst of what was added. */
  readonly end: number
  /** Records that were compared, one by one, with what they were before. */
  readonly compared: number
}

/** A digest of each record, with all that it is. */
type Records = ReadonlyMap<number, string>

/**
 * Backs up, appends more, backs up what is new, destroys the partition, restores it to a point
 * between, and compares record by record. Throws at the first difference.
 */
export async function restoreAndProve(
  data: string,
  backups: string,
  corpus: readonly CorpusFile[],
): Promise<RestoreProof> {
  rmSync(backups, { recursive: true, force: true })
  mkdirSync(backups, { recursive: true })
  const passphrase = randomBytes(16).toString('hex')
  const target = new DirectoryTarget(join(backups, 'repository'))
  const encryption = { passphrase, rsaBits: 2048 }
  await Repository.create(target, { encryption })
  await using repository = await Repository.open(target, { passphrase })
  const taken = await takeBackups(data, repository, corpus, join(backups, 'state'))
  rmSync(join(data, `${topic}-${partition}`), { recursive: true })
  const latest = await new BackupCatalogue(repository).find('latest')
  const offsets = new Map([[`${topic}-${partition}`, taken.end]])
  const restored = await restoreBackup(repository, latest, {
    to: data,
    isInPlace: true,
    point: { kind: 'offsets', offsets },
    hooks: restoreHooks(),
  })
  if (restored.replaced !== null) rmSync(restored.replaced, { recursive: true })
  const { before, ...proof } = taken
  return { ...proof, restored, compared: await compare(data, before, taken.end) }
}

async function takeBackups(
  data: string,
  repository: Repository,
  corpus: readonly CorpusFile[],
  stateDirectory: string,
) {
  await using varve = await openDataDirectory(data, { cleaning: false })
  const full = await varve.backup(repository, { kind: 'full', stateDirectory })
  const added = await appendMore(varve, corpus)
  const incremental = await varve.backup(repository, { stateDirectory })
  for (const { gaps } of [full, incremental]) {
    if (gaps.length > 0) throw new Error(`the backup has not all: ${gaps[0]?.reason}`)
  }
  const log = varve.log(topic, partition)
  const end = log.logEndOffset - Math.floor(added / 2)
  await log.flush()
  await using reading = await openLogReadOnly(log.directory)
  const before = await recordsOf(reading)
  return { full, added, incremental, end, before }
}

async function appendMore(varve: DirectoryVarve, corpus: readonly CorpusFile[]): Promise<number> {
  const producer = varve.producer()
  const some = corpus.slice(0, 1000)
  const headers = [{ key: 'made-by', value: 'demo' }]
  const sent = some.map(({ key }) => {
    return producer.send(topic, { key, value: `seen again: ${key}`, headers }, { partition })
  })
  await Promise.all(sent)
  return some.length
}

async function compare(data: string, before: Records, end: number): Promise<number> {
  await using log = await openLogReadOnly(join(data, `${topic}-${partition}`))
  const after = await recordsOf(log)
  for (const [offset, digest] of before) {
    if (offset >= end) continue
    if (after.get(offset) !== digest) throw new Error(`record ${offset} is not what it was`)
  }
  const beyond = [...after.keys()].find((offset) => offset >= end || !before.has(offset))
  if (beyond !== undefined) throw new Error(`record ${beyond} should not be there`)
  if (log.highWatermark !== end) throw new Error(`the log ends at ${log.highWatermark}, not ${end}`)
  return after.size
}

async function recordsOf(log: ReadOnlyLog): Promise<Records> {
  const records = new Map<number, string>()
  for await (const batch of log.reader({ from: log.logStartOffset })) {
    for (const { offset, timestamp, key, value, headers } of batch.records()) {
      const hash = createHash('sha256').update(`${timestamp} ${key?.length} ${value?.length} `)
      for (const part of [key, value]) if (part !== null) hash.update(part)
      for (const header of headers) hash.update(`${header.key} `).update(header.value ?? 'null')
      records.set(offset, hash.digest('base64'))
    }
  }
  return records
}
