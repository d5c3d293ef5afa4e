import type { FileContent } from './file-content.ts'
import type { Truncation, Write } from './operation-journal.ts'
import { Random } from './random.ts'

/**
 * What becomes, when the power is cut, of everything that was not flushed:
 * - `none`: all of it is lost, data and names.
 * - `all`: all of it survives.
 * - `namesOnly`: names and lengths survive, data does not: files of the right length, full of zeros
 *   (or of what the place held before).
 * - `dataOnly`: data survives, names do not.
 * - a {@link RandomCrash}: drawn from a seed.
 */
export type CrashVariant = 'none' | 'all' | 'namesOnly' | 'dataOnly' | RandomCrash

/**
 * - `harsh`: what POSIX allows. Every write survives whole, torn or not at all, whatever happened
 *   to earlier ones; every directory operation survives or not, by itself.
 * - `journaled`: what ext4 does (`data=ordered`). Directory operations and truncations survive up
 *   to some moment and not after it; a file grows without holes, overwritten sectors are torn.
 * - `prefix`: everything survives up to some moment, with the last write torn: a disk without
 *   reordering.
 */
export interface RandomCrash {
  readonly mode: 'harsh' | 'journaled' | 'prefix'
  /** uint32 */
  readonly seed: number
}

/** The four fixed variants and `count` random ones, of which half are harsh. */
export function crashVariants(random: Random, count: number): CrashVariant[] {
  const variants: CrashVariant[] = ['none', 'all', 'namesOnly', 'dataOnly']
  for (let index = 0; index < count; index += 1) {
    const mode = (['harsh', 'journaled', 'harsh', 'prefix'] as const)[index % 4] ?? 'harsh'
    variants.push({ mode, seed: random.next() })
  }
  return variants
}

/** For messages: `harsh crash, seed 17`. */
export function describeVariant(variant: CrashVariant): string {
  if (typeof variant === 'string') return `crash with ${variant} of what was not flushed`
  return `${variant.mode} crash, seed ${variant.seed}`
}

/** A write or truncation that is not durable, with its index in the journal. */
export interface UnflushedData {
  readonly index: number
  readonly operation: Write | Truncation
  /** A flush of it failed: the system counts it as clean, no later flush will write it. */
  isAbandoned: boolean
  /** And it is no longer to be seen in the cache either. */
  isDropped: boolean
}

/** The decisions of one crash. */
export interface Survival {
  /** Whether a directory operation survives, those that it builds on having survived. */
  keepsName(index: number): boolean
  keepsModifiedTime(): boolean
  /** Applies to a copy of a file's durable content what survives of the rest. */
  applyData(content: FileContent, unflushed: readonly UnflushedData[]): void
}

/** What a crash has to know of the moment it happens in; indexes are the journal's. */
export interface CrashMoment {
  /** How many operations had been done. */
  readonly end: number
  /** The oldest operation that is not durable; `end` when there is none. */
  readonly firstUnflushed: number
  /** How many operations a journal like ext4's holds for certain, as far as names go. */
  readonly journaled: number
  readonly sectorBytes: number
}

export function survivalOf(variant: CrashVariant, moment: CrashMoment): Survival {
  if (typeof variant === 'string') return fixedSurvivals[variant]
  const random = new Random(variant.seed)
  const { end, firstUnflushed, journaled, sectorBytes } = moment
  if (variant.mode === 'harsh') return new HarshSurvival(random, sectorBytes)
  if (variant.mode === 'prefix') {
    return new PrefixSurvival(random, sectorBytes, random.between(firstUnflushed, end))
  }
  const earliest = Math.min(Math.max(journaled, firstUnflushed), end)
  return new JournaledSurvival(random, sectorBytes, random.between(earliest, end))
}

/** The decisions of the variants that leave nothing to chance. */
export const fixedSurvivals: Readonly<Record<Exclude<CrashVariant, RandomCrash>, Survival>> = {
  none: {
    keepsName: () => false,
    keepsModifiedTime: () => false,
    applyData: () => {},
  },
  all: {
    keepsName: () => true,
    keepsModifiedTime: () => true,
    applyData: applyAll,
  },
  namesOnly: {
    keepsName: () => true,
    keepsModifiedTime: () => true,
    applyData: applyLengths,
  },
  dataOnly: {
    keepsName: () => false,
    keepsModifiedTime: () => true,
    applyData: applyAll,
  },
}

class HarshSurvival implements Survival {
  readonly #random: Random
  readonly #sectorBytes: number
  readonly #nameProbability: number

  constructor(random: Random, sectorBytes: number) {
    this.#random = random
    this.#sectorBytes = sectorBytes
    this.#nameProbability = random.pick([0, 0.2, 0.5, 0.8, 0.95, 1])
  }

  keepsName(): boolean {
    return this.#random.bool(this.#nameProbability)
  }

  keepsModifiedTime(): boolean {
    return this.#random.bool()
  }

  applyData(content: FileContent, unflushed: readonly UnflushedData[]): void {
    const random = this.#random
    const style = random.pick(['lost', 'kept', 'writes', 'sectors', 'sectors', 'torn'] as const)
    if (style === 'lost') return
    if (style === 'kept') applyAll(content, unflushed)
    else if (style === 'torn') {
      applyPrefix(content, unflushed, random.int(unflushed.length), random, this.#sectorBytes)
    } else {
      const probability = random.pick([0.1, 0.5, 0.9])
      for (const { operation } of unflushed) {
        if (operation.kind === 'truncate' || style === 'writes') {
          if (random.bool(probability)) applyTo(content, operation)
        } else {
          applySectors(content, operation, this.#sectorBytes, () => random.bool(probability))
        }
      }
    }
    // The new length may have reached the disk without the data that it was for.
    if (random.int(3) === 0) growTo(content, random.pick(unflushed).operation)
  }
}

class JournaledSurvival implements Survival {
  readonly #random: Random
  readonly #sectorBytes: number
  readonly #cut: number

  constructor(random: Random, sectorBytes: number, cut: number) {
    this.#random = random
    this.#sectorBytes = sectorBytes
    this.#cut = cut
  }

  keepsName(index: number): boolean {
    return index < this.#cut
  }

  keepsModifiedTime(): boolean {
    return this.#random.bool()
  }

  applyData(content: FileContent, unflushed: readonly UnflushedData[]): void {
    const random = this.#random
    let end = content.sizeBytes
    for (const { operation } of unflushed) end = Math.max(end, endOf(operation))
    // Blocks are allocated in order of position, and the length follows them: no hole is left.
    let grownTo = random.between(content.sizeBytes, end)
    if (random.bool()) grownTo -= grownTo % this.#sectorBytes
    let inPlaceEnd = content.sizeBytes
    for (const { index, operation } of unflushed) {
      if (operation.kind === 'truncate') {
        if (index >= this.#cut) continue
        content.truncate(operation.sizeBytes)
        inPlaceEnd = operation.sizeBytes
        continue
      }
      const inPlace = sliceOf(operation, 0, inPlaceEnd)
      if (inPlace !== null) {
        applySectors(content, inPlace, this.#sectorBytes, () => random.bool())
      }
      const appended = sliceOf(operation, inPlaceEnd, grownTo)
      if (appended !== null) applyTo(content, appended)
    }
  }
}

class PrefixSurvival implements Survival {
  readonly #random: Random
  readonly #sectorBytes: number
  readonly #cut: number

  constructor(random: Random, sectorBytes: number, cut: number) {
    this.#random = random
    this.#sectorBytes = sectorBytes
    this.#cut = cut
  }

  keepsName(index: number): boolean {
    return index < this.#cut
  }

  keepsModifiedTime(): boolean {
    return true
  }

  applyData(content: FileContent, unflushed: readonly UnflushedData[]): void {
    let kept = 0
    while (kept < unflushed.length && (unflushed[kept]?.index ?? this.#cut) < this.#cut) kept += 1
    // Only the operation at the cut itself is torn; an earlier one was whole before it.
    const isTorn = unflushed[kept]?.index === this.#cut
    if (isTorn) applyPrefix(content, unflushed, kept, this.#random, this.#sectorBytes)
    else for (const { operation } of unflushed.slice(0, kept)) applyTo(content, operation)
  }
}

/** As the cache has it. */
function applyAll(content: FileContent, unflushed: readonly UnflushedData[]): void {
  for (const { operation, isDropped } of unflushed) {
    if (!isDropped) applyTo(content, operation)
  }
}

function applyLengths(content: FileContent, unflushed: readonly UnflushedData[]): void {
  for (const { operation } of unflushed) {
    if (operation.kind === 'truncate') content.truncate(operation.sizeBytes)
    else growTo(content, operation)
  }
}

/** The first `count` operations, and the next torn. */
function applyPrefix(
  content: FileContent,
  unflushed: readonly UnflushedData[],
  count: number,
  random: Random,
  sectorBytes: number,
): void {
  for (const { operation } of unflushed.slice(0, count)) applyTo(content, operation)
  const torn = unflushed[count]?.operation
  if (torn === undefined || torn.kind === 'truncate') return
  const cut = torn.position + random.int(torn.bytes.length + 1)
  const prefix = sliceOf(torn, 0, cut - (cut % sectorBytes))
  if (prefix !== null) applyTo(content, prefix)
}

export function applyTo(content: FileContent, operation: Write | Truncation): void {
  if (operation.kind === 'truncate') content.truncate(operation.sizeBytes)
  else content.write(operation.bytes, operation.position)
}

/** A sector is written whole or not at all. */
function applySectors(
  content: FileContent,
  write: Pick<Write, 'position' | 'bytes'>,
  sectorBytes: number,
  keeps: () => boolean,
): void {
  const end = write.position + write.bytes.length
  let start = write.position
  while (start < end) {
    const stop = Math.min(end, start - (start % sectorBytes) + sectorBytes)
    if (keeps()) {
      content.write(write.bytes.subarray(start - write.position, stop - write.position), start)
    }
    start = stop
  }
}

/** The part of a write from one position of the file to another, or null when there is none. */
export function sliceOf(write: Write, from: number, to: number): Write | null {
  const start = Math.max(from, write.position)
  const stop = Math.min(to, write.position + write.bytes.length)
  if (start >= stop) return null
  const bytes = write.bytes.subarray(start - write.position, stop - write.position)
  return { ...write, position: start, bytes }
}

function growTo(content: FileContent, operation: Write | Truncation): void {
  const end = endOf(operation)
  if (end > content.sizeBytes) content.truncate(end)
}

function endOf(operation: Write | Truncation): number {
  if (operation.kind === 'truncate') return operation.sizeBytes
  return operation.position + operation.bytes.length
}
