import {
  BackupCatalogue,
  backupHistory,
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  ObjectReader,
  type RecordHistory,
  Repository,
  runBackup,
} from '@varve/backup'
import { CleanedSegmentWriter, type Log } from '@varve/log'
import { type Random, SimulatedFileSystem } from '@varve/log/testing'
import type { LogRecord, RecordInput } from '@varve/record'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import type { Machine } from '../broker-fixture.ts'

export const targetPath = '/target'
export const mapPath = '/maps/replay.jsonl'

/** A backup of an open directory, as it is read without restoring it. */
export async function backUp(machine: Machine, varve: DirectoryVarve): Promise<RecordHistory> {
  const { fs, clock } = machine
  const target = new DirectoryTarget('/backups', { fs })
  const isThere = fs.stat('/backups/repository.json') !== null
  const repository = isThere
    ? await Repository.open(target)
    : await Repository.create(target, { objectBytes: 2048 })
  clock.advance(1000)
  const options = { fs, clock, encoder: inlineEncoder(fs), threads: 2 }
  await runBackup(repository, varve.backupSource(), options)
  const latest = await new BackupCatalogue(repository).find('latest')
  return backupHistory(repository, latest, new ObjectReader(repository, inlineDecoder()))
}

/** Everything of a record but where it is. */
export function contentOf({ key, value, headers, timestamp }: LogRecord): string {
  return JSON.stringify({
    key: key?.toString('hex') ?? null,
    value: value?.toString('hex') ?? null,
    headers: headers.map((header) => [header.key, header.value?.toString('hex') ?? null]),
    timestamp,
  })
}

/** The committed records of a log: offset and content, in order. */
export async function committedRecords(log: Log): Promise<Array<readonly [number, string]>> {
  const records: Array<readonly [number, string]> = []
  const reader = log.reader({ from: log.logStartOffset, isolation: 'committed' })
  for await (const record of reader.records()) records.push([record.offset, contentOf(record)])
  return records
}

export function randomRecord(random: Random): RecordInput {
  const key = random.bool(0.2) ? null : `k${random.int(20)}`
  const value = random.bool(0.2) ? null : random.bytes(random.int(200))
  const headers = Array.from({ length: random.int(4) }, () => ({
    key: random.pick(['a', 'b', 'a', 'source']),
    value: random.bool(0.3) ? null : random.bytes(random.int(10)),
  }))
  return { key, value, headers, timestamp: random.bool(0.1) ? -1 : random.int(1_000_000) }
}

/** Topics with transactions of every fate, plain records, tombstones, gaps; some compacted. */
export async function fillAtRandom(varve: DirectoryVarve, random: Random): Promise<void> {
  const small = { segmentBytes: 4000, fileDeleteDelayMs: 0 }
  await varve.createTopic('plain', { partitions: 2, ...small })
  await varve.createTopic('mixed', { partitions: 2, ...small })
  await varve.createTopic('empty', { partitions: 3, ...small })
  await writeAtRandom(varve, random, 30)
  for (const [topic, partition] of [
    ['plain', 1],
    ['mixed', 0],
  ] as const) {
    await thinOut(varve.log(topic, partition), random, varveFileSystem(varve))
  }
}

const fileSystems = new WeakMap<DirectoryVarve, SimulatedFileSystem>()

/** Remembers on what a directory lies. */
export function onFileSystem(varve: DirectoryVarve, fs: SimulatedFileSystem): DirectoryVarve {
  fileSystems.set(varve, fs)
  return varve
}

function varveFileSystem(varve: DirectoryVarve): SimulatedFileSystem {
  return fileSystems.get(varve) ?? new SimulatedFileSystem()
}

/** More of all kinds. What it leaves open is over when its producer closes. */
export async function writeAtRandom(
  varve: DirectoryVarve,
  random: Random,
  rounds: number,
): Promise<void> {
  const plain = varve.producer()
  const some = (): RecordInput[] =>
    Array.from({ length: random.between(1, 12) }, () => randomRecord(random))
  const open = Array.from({ length: 3 }, (_, index) =>
    varve.producer({ transactionalId: `t${index}` }),
  )
  for (let round = 0; round < rounds; round++) {
    await plain.send('plain', some(), { partition: random.int(2) })
    await plain.send('mixed', some(), { partition: random.int(2) })
    const transactions = await Promise.all(open.map((producer) => producer.begin()))
    for (let sent = 0; sent < 4; sent++) {
      const transaction = random.pick(transactions)
      await transaction.send('mixed', some(), { partition: random.int(2) })
      await transaction.sendOffsets('committing', [
        { topic: 'plain', partition: 0, offset: random.int(round + 1) },
      ])
    }
    for (const transaction of random.shuffle(transactions)) {
      if (random.bool(0.6)) await transaction.commit()
      else await transaction.abort()
    }
  }
  await plain.close()
  for (const producer of open) await producer.close()
}

/** Compaction, as far as offsets go: whole batches are missing afterwards. */
async function thinOut(log: Log, random: Random, fs: SimulatedFileSystem): Promise<void> {
  const sealed = log.segments().slice(0, -1)
  const [first] = sealed
  const last = sealed.at(-1)
  if (first === undefined || last === undefined) return
  const writer = new CleanedSegmentWriter(log.directory, first.baseOffset, { fs })
  for await (const batch of log.reader({ from: first.baseOffset })) {
    if (batch.baseOffset >= last.nextOffset) break
    if (batch.isControl || random.bool(0.6)) await writer.append(batch)
  }
  for (const aborted of log.abortedTransactions(first.baseOffset, last.nextOffset)) {
    if (aborted.lastOffset < last.nextOffset) writer.addAbortedTransaction(aborted)
  }
  await log.replaceSegments([await writer.finish(last.nextOffset)], sealed)
}
