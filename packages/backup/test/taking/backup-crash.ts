import type { Log } from '@varve/log'
import { type CrashVariant, type Fault, Random, type SimulatedFileSystem } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect } from 'vitest'
import type { BackupKind } from '../../src/format/manifest.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import { appendRecords, compact, Machine, sourceBytes, storedBytes } from '../backup-fixture.ts'

/** A machine with one backup, on which more has happened since. */
interface Prepared {
  readonly machine: Machine
  readonly repository: Repository
  readonly log: Log
  run(kind: BackupKind): Promise<unknown>
  close(): Promise<void>
}

async function prepare(fs?: SimulatedFileSystem): Promise<Prepared> {
  const machine = new Machine(fs)
  const repository = await machine.create()
  const directory = await machine.openData({ segmentBytes: 4096 })
  const log = await directory.createLog('t', 0)
  await directory.createLog('empty', 0)
  await appendRecords(log, 60)
  await machine.back(repository, directory)
  await compact(machine, log, (offset) => offset % 2 === 0)
  await appendRecords(log, 40)
  const run = (kind: BackupKind): Promise<unknown> => machine.back(repository, directory, { kind })
  return { machine, repository, log, run, close: () => directory.close() }
}

/** Whether each backup that exists has all that it lists, whole. Resolves to their ids. */
async function checkClean(machine: Machine): Promise<readonly string[]> {
  await using repository = await Repository.open(machine.target)
  const names = await new BackupCatalogue(repository).list()
  for (const { backupId } of names) {
    const stored = await storedBytes(repository, backupId)
    for (const { list, segments } of stored.values()) {
      expect(segments.map(({ length }) => length)).toEqual(
        list.segments.map(({ sizeBytes }) => sizeBytes),
      )
    }
  }
  return names.map(({ backupId }) => backupId)
}

/** A rerun by the next process finishes, and has everything. */
async function checkRerun(fs: SimulatedFileSystem, kind: BackupKind): Promise<void> {
  const machine = new Machine(fs)
  machine.clock.advance(3_600_000)
  await using repository = await Repository.open(machine.target)
  await using directory = await machine.openData({ segmentBytes: 4096 })
  const log = directory.log('t', 0)
  const report = await machine.back(repository, directory, { kind })
  expect(report).toMatchObject({ gaps: [], findings: [], partitions: 2 })
  const stored = (await storedBytes(repository)).get('t-0')
  expect(stored?.segments).toEqual(sourceBytes(machine, log))
  await checkClean(machine)
}

export interface CrashOptions {
  readonly variants: number
  readonly rerunEvery: number
  /** The part of the states that is looked at, drawn; default: all. */
  readonly share?: number
}

/**
 * Cuts the power after every operation of a backup, `rerunEvery` so many times followed by another
 * backup. Resolves to the number of states that were looked at.
 */
export async function crashBackup(
  kind: BackupKind,
  seed: number,
  { variants, rerunEvery, share = 1 }: CrashOptions,
): Promise<number> {
  const random = new Random(seed)
  const { machine, run, close } = await prepare()
  machine.fs.settle()
  await run(kind)
  const finished = machine.fs.operations
  let states = 0
  for (let operations = 0; operations <= finished; operations++) {
    for (let round = 0; round < variants; round++) {
      const harsh = { mode: 'harsh', seed: random.int(2 ** 31) } as const
      const journaled = { mode: 'journaled', seed: random.int(2 ** 31) } as const
      const fixed = ['none', 'all', 'namesOnly', 'dataOnly'] as const
      const variant: CrashVariant = random.pick([...fixed, harsh, harsh, journaled])
      if (!random.bool(share)) continue
      const replay = `VARVE_SEED=${seed} operation ${operations} ${JSON.stringify(variant)}`
      const state = machine.fs.crashState(operations, variant)
      try {
        const backups = await checkClean(new Machine(state))
        expect(backups.length).toBeGreaterThanOrEqual(operations === finished ? 2 : 1)
        if (states++ % rerunEvery === 0) await checkRerun(state, kind)
      } catch (error) {
        throw new Error(`${replay}: ${(error as Error).message}`, { cause: error })
      }
    }
  }
  await close()
  return states
}

/**
 * Makes a call of the file system fail while a backup runs, on its source or its repository.
 * Resolves to how often, or null when there is no such call any more.
 */
export async function faultBackup(kind: BackupKind, fault: Fault): Promise<number | null> {
  const { machine, run, close } = await prepare()
  const { fs } = machine
  const before = fs.calls
  fs.injectFault({ ...fault, counting: 'calls' })
  const error: unknown = await run(kind).then(
    () => null,
    (cause: unknown) => cause,
  )
  const hits = fs.faultHits
  const isBehind = fs.calls - before <= (fault.after ?? 0)
  fs.clearFaults()
  const replay = JSON.stringify(fault)
  if (error !== null && !(error instanceof VarveError)) {
    throw new Error(`${replay}: an untyped error: ${error}`, { cause: error })
  }
  try {
    const backups = await checkClean(machine)
    // It exists when it was said to; and does not when not, if the store lets anything be removed.
    if (error === null) expect(backups.length).toBe(2)
    else if (fault.isLasting !== true) expect(backups.length).toBe(1)
    const open = fs.openFiles().filter((path) => !path.startsWith('/data'))
    expect(open).toEqual([])
    await close()
    await checkRerun(fs, kind)
  } catch (cause) {
    throw new Error(`${replay}: ${(cause as Error).message}`, { cause })
  }
  return isBehind ? null : hits
}
