import type { Offset } from '@varve/record'
import {
  logFileName,
  parseSegmentFileName,
  type SegmentFileKind,
  type SegmentFileSuffix,
  segmentFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'

/** A file of a partition directory that belongs to a segment. */
export interface SegmentFile {
  readonly name: string
  readonly baseOffset: Offset
  readonly kind: SegmentFileKind
  readonly suffix: SegmentFileSuffix
}

/** A segment by its files, as the directory shows it. */
export interface ListedSegment {
  readonly baseOffset: Offset
  readonly path: string
  readonly sizeBytes: number
  /** Tells this `.log` apart from another one of the same name. */
  readonly fileId: number
  readonly kinds: ReadonlySet<SegmentFileKind>
}

/** The segment files in a directory, by base offset. */
export function listSegmentFiles(fs: FileSystem, directory: string): readonly SegmentFile[] {
  const files: SegmentFile[] = []
  for (const name of fs.list(directory)) {
    const parsed = parseSegmentFileName(name)
    if (parsed !== null) files.push({ name, ...parsed })
  }
  return files.sort((a, b) => a.baseOffset - b.baseOffset || (a.name < b.name ? -1 : 1))
}

/** The segments of a directory whose files have their final names, in order of base offset. */
export function listSegments(fs: FileSystem, directory: string): readonly ListedSegment[] {
  return LogListing.read(fs, directory).segments(fs)
}

/**
 * The names in a log's directory, looked at once. Of ten thousand segments it keeps two numbers
 * each, and no name: those of segments follow from their base offsets.
 */
export class LogListing {
  readonly #directory: string
  /** By base offset: a bit for each kind of file with its final name, but for snapshots. */
  readonly #kinds = new Map<Offset, number>()
  readonly #snapshots: Offset[] = []
  readonly #others = new Set<string>()
  #hasSuffixes = false

  private constructor(directory: string) {
    this.#directory = directory
  }

  static read(fs: FileSystem, directory: string): LogListing {
    const listing = new LogListing(directory)
    const add = (name: string): void => listing.#add(name)
    if (fs.eachName === undefined) fs.list(directory).forEach(add)
    else fs.eachName(directory, add)
    listing.#snapshots.sort((a, b) => a - b)
    return listing
  }

  #add(name: string): void {
    const parsed = parseSegmentFileName(name)
    if (parsed === null) {
      this.#others.add(name)
      return
    }
    const { baseOffset, kind, suffix } = parsed
    if (suffix !== '') this.#hasSuffixes = true
    else if (kind === 'snapshot') this.#snapshots.push(baseOffset)
    else this.#kinds.set(baseOffset, (this.#kinds.get(baseOffset) ?? 0) | bitOf(kind))
  }

  /** Whether there are files in a state that passes: to be deleted, cleaned, swapped, or kept. */
  get hasSuffixes(): boolean {
    return this.#hasSuffixes
  }

  /** The offsets of producer snapshots, ascending. */
  get snapshotOffsets(): readonly Offset[] {
    return this.#snapshots
  }

  /** Whether there is a file that is no segment's. */
  hasOther(name: string): boolean {
    return this.#others.has(name)
  }

  /** The segments, in order of base offset, with the sizes that they have now. */
  segments(fs: FileSystem): readonly ListedSegment[] {
    const segments: ListedSegment[] = []
    for (const baseOffset of this.#baseOffsets()) {
      const kinds = this.#kinds.get(baseOffset) ?? 0
      if ((kinds & bitOf('log')) === 0) continue
      const stat = fs.stat(`${this.#directory}/${logFileName(baseOffset)}`)
      // Deleted between the listing and now, by the process that owns the log.
      if (stat === null) continue
      segments.push(new SeenSegment(this.#directory, baseOffset, kinds, stat))
    }
    return segments
  }

  /** Names of files that belong to a segment whose log is not there. */
  orphans(): readonly string[] {
    const names: string[] = []
    for (const baseOffset of this.#baseOffsets()) {
      const kinds = this.#kinds.get(baseOffset) ?? 0
      if ((kinds & bitOf('log')) !== 0) continue
      for (const kind of kindsOf(kinds)) names.push(segmentFileName(baseOffset, kind))
    }
    return names
  }

  #baseOffsets(): readonly Offset[] {
    return [...this.#kinds.keys()].sort((a, b) => a - b)
  }
}

/** Says by numbers what it can: there may be tens of thousands. */
class SeenSegment implements ListedSegment {
  readonly #directory: string
  readonly baseOffset: Offset
  readonly sizeBytes: number
  readonly fileId: number
  readonly #kinds: number

  constructor(
    directory: string,
    baseOffset: Offset,
    kinds: number,
    stat: { readonly sizeBytes: number; readonly fileId: number },
  ) {
    this.#directory = directory
    this.baseOffset = baseOffset
    this.#kinds = kinds
    this.sizeBytes = stat.sizeBytes
    this.fileId = stat.fileId
  }

  get path(): string {
    return `${this.#directory}/${logFileName(this.baseOffset)}`
  }

  get kinds(): ReadonlySet<SegmentFileKind> {
    return new Set(kindsOf(this.#kinds))
  }
}

/** In alphabetical order, as a listing of the directory has them. */
const kindsInOrder: readonly SegmentFileKind[] = ['digest', 'index', 'log', 'timeindex', 'txnindex']

function bitOf(kind: SegmentFileKind): number {
  return 1 << kindsInOrder.indexOf(kind)
}

function kindsOf(bits: number): readonly SegmentFileKind[] {
  return kindsInOrder.filter((kind) => (bits & bitOf(kind)) !== 0)
}
