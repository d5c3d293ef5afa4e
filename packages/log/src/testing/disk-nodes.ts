import {
  applyTo,
  fixedSurvivals,
  type Survival,
  sliceOf,
  type UnflushedData,
} from './crash-variant.ts'
import type { FileContent } from './file-content.ts'
import type { NameChange, Truncation, Write } from './operation-journal.ts'

/** A file on the disk: what of it is durable, and what else was done to it. */
export class DiskFile {
  durable: FileContent
  durableModifiedMs: number
  modifiedMs: number
  /** As the cache has it. */
  sizeBytes: number
  /** In order. */
  unflushed: UnflushedData[] = []
  /** 1 + the index of the last operation that changed its length, or made it. */
  lastJournaledChange: number

  constructor(durable: FileContent, modifiedMs: number, lastJournaledChange: number) {
    this.durable = durable
    this.sizeBytes = durable.sizeBytes
    this.durableModifiedMs = modifiedMs
    this.modifiedMs = modifiedMs
    this.lastJournaledChange = lastJournaledChange
  }

  /** Makes durable what was done before operation `start`, but for what a failed flush gave up. */
  flush(start: number): void {
    let left: UnflushedData[] = []
    for (const data of this.unflushed) {
      if (data.index >= start || data.isAbandoned) {
        left.push(data)
        continue
      }
      applyTo(this.durable, data.operation)
      if (left.length > 0) left = left.flatMap((earlier) => uncovered(earlier, data.operation))
    }
    this.unflushed = left
    this.durableModifiedMs = this.modifiedMs
  }

  /** A failed flush: what it should have written will not be written by a later one either. */
  abandon(start: number, cache: 'kept' | 'dropped'): void {
    for (const data of this.unflushed) {
      if (data.index >= start) break
      // A length is metadata: it stays in the journal until that can be written.
      if (data.operation.kind === 'truncate') continue
      data.isAbandoned = true
      data.isDropped ||= cache === 'dropped'
    }
    this.sizeBytes = this.survivor(fixedSurvivals.all).sizeBytes
  }

  settle(): void {
    this.durable = this.survivor(fixedSurvivals.all)
    this.unflushed = []
    this.durableModifiedMs = this.modifiedMs
  }

  /** Its bytes after a crash. */
  survivor(survival: Survival): FileContent {
    const content = this.durable.clone()
    if (this.unflushed.length > 0) survival.applyData(content, this.unflushed)
    return content
  }
}

/** A directory on the disk. */
export class DiskDirectory {
  readonly modifiedMs: number
  /** Durable ones. */
  readonly entries: Map<string, number> = new Map()
  /** 1 + the index of the last operation that changed a name in it. */
  lastChange = 0

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }
}

/** A directory operation, from when it is done until it is durable. */
export class UnflushedName {
  readonly index: number
  readonly changes: readonly NameChange[]
  /** Operations without which this one cannot have reached the disk. */
  basis: readonly UnflushedName[]
  readonly movesDirectory: boolean
  /** Directories that must be flushed for it to be durable. */
  readonly unsynced: Set<number>
  isDurable = false
  isAbandoned = false

  constructor(
    index: number,
    changes: readonly NameChange[],
    basis: readonly UnflushedName[],
    movesDirectory: boolean,
  ) {
    this.index = index
    this.changes = changes
    this.basis = basis
    this.movesDirectory = movesDirectory
    this.unsynced = new Set(changes.map((change) => change.directory))
  }

  concerns(directory: number): boolean {
    return this.changes.some((change) => change.directory === directory)
  }
}

/** What is left of abandoned data when something later has become durable. */
function uncovered(earlier: UnflushedData, later: Write | Truncation): UnflushedData[] {
  const { operation } = earlier
  if (operation.kind === 'truncate') return [earlier]
  const start = later.kind === 'write' ? later.position : later.sizeBytes
  const stop = later.kind === 'write' ? start + later.bytes.length : Number.POSITIVE_INFINITY
  const parts = [sliceOf(operation, 0, start), sliceOf(operation, stop, Number.POSITIVE_INFINITY)]
  return parts.flatMap((part) => (part === null ? [] : [{ ...earlier, operation: part }]))
}
