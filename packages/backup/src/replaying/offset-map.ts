import type { File, FileSystem } from '@varve/log'
import { isSystemError } from '@varve/log/files'
import type { Offset } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { ReplayRefusedError } from './replay-errors.ts'
import type { ReplayPosition } from './replay-sink.ts'

/** Offsets in a row: `count` of them from `source` on went to as many from `target` on. */
export interface OffsetRun {
  readonly source: Offset
  readonly count: number
  readonly target: Offset
}

/** Where one transaction of a replay has put the records of one partition. */
export interface MapEntry {
  /** The source's. */
  readonly topic: string
  readonly partition: number
  /** The target's topic; the partition is the same. */
  readonly to: string
  /** Everything of the source before it has been replayed, or left out. */
  readonly next: Offset
  readonly runs: readonly OffsetRun[]
}

const newline = 0x0a
const stretchBytes = 256 * 1024

/**
 * Which offset of the source went to which of the target: a file of JSON lines. The first says
 * whose it is; each other one is a `MapEntry`, with the number of its transaction and its runs as
 * `[source, count, target]`.
 *
 * Lines are durable before their transaction is committed, so that a map never lacks what has been
 * replayed. Lines of a transaction that was not committed are found by the positions that the
 * target keeps, and cut off.
 */
export class OffsetMapFile {
  readonly path: string
  readonly #fs: FileSystem
  readonly #file: File
  #end: number
  #transaction: number

  private constructor(fs: FileSystem, path: string, file: File, end: number, transaction: number) {
    this.#fs = fs
    this.path = path
    this.#file = file
    this.#end = end
    this.#transaction = transaction
  }

  /**
   * Opens the map of a replay, made when it is not there, as far as the target knows of it. Rejects
   * with ReplayRefusedError when it is that of another replay, or does not go with the positions.
   */
  static async open(
    fs: FileSystem,
    path: string,
    replay: string,
    positions: readonly ReplayPosition[],
  ): Promise<OffsetMapFile> {
    const file = openOrCreate(fs, path)
    try {
      const { end, transaction } = await findEnd(file, path, replay, positions)
      file.truncate(end)
      const map = new OffsetMapFile(fs, path, file, end, transaction)
      if (end === 0) await map.#begin(replay)
      return map
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Adds a transaction, durably. */
  async add(entries: readonly MapEntry[]): Promise<void> {
    this.#transaction++
    const lines = entries.map(({ runs, ...entry }) => {
      const flat = runs.map(({ source, count, target }) => [source, count, target])
      return `${JSON.stringify({ tx: this.#transaction, ...entry, runs: flat })}\n`
    })
    await this.#write(lines.join(''))
  }

  /** Every entry, in the order in which they were replayed. */
  entries(): AsyncGenerator<MapEntry, void, undefined> {
    return entriesOf(this.#file, this.path, this.#end)
  }

  close(): void {
    this.#file.close()
  }

  async #begin(replay: string): Promise<void> {
    await this.#write(`${JSON.stringify({ format: 1, replay })}\n`)
    const slash = this.path.lastIndexOf('/')
    await this.#fs.syncDirectory(slash < 0 ? '.' : this.path.slice(0, slash) || '/')
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) {
      const count = await this.#file.write(bytes.subarray(written), this.#end + written)
      if (count === 0)
        throw Object.assign(new Error(`no progress in ${this.path}`), { code: 'EIO' })
      written += count
    }
    await this.#file.datasync()
    this.#end += bytes.length
  }
}

/** Every entry of the map of a replay that has ended, in the order in which they were replayed. */
export async function* mapEntries(
  fs: FileSystem,
  path: string,
): AsyncGenerator<MapEntry, void, undefined> {
  const file = fs.open(path, 'read')
  try {
    yield* entriesOf(file, path, file.sizeBytes())
  } finally {
    file.close()
  }
}

async function* entriesOf(
  file: File,
  path: string,
  end: number,
): AsyncGenerator<MapEntry, void, undefined> {
  let isFirst = true
  for await (const { text } of linesOf(file, end)) {
    if (isFirst) replayOf(text, path)
    else yield parseEntry(text, path).entry
    isFirst = false
  }
}

function openOrCreate(fs: FileSystem, path: string): File {
  try {
    return fs.open(path, 'write')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return fs.open(path, 'create')
    throw error
  }
}

/** Where the lines end that the target confirms. */
async function findEnd(
  file: File,
  path: string,
  replay: string,
  positions: readonly ReplayPosition[],
): Promise<{ readonly end: number; readonly transaction: number }> {
  const confirmed = new Map(positions.map((position) => [placeOf(position), position.offset]))
  const mapped = new Map<string, Offset>()
  let end = 0
  let transaction = 0
  let unconfirmed: number | null = null
  for await (const { text, after } of linesOf(file, file.sizeBytes())) {
    if (end === 0) {
      requireReplay(text, path, replay)
      end = after
      continue
    }
    const { entry, tx } = parseEntry(text, path)
    const place = placeOf({ topic: entry.to, partition: entry.partition })
    if (unconfirmed === null && entry.next <= (confirmed.get(place) ?? -1)) {
      mapped.set(place, entry.next)
      end = after
      transaction = tx
    } else if (unconfirmed !== null && unconfirmed !== tx) {
      throw new ReplayRefusedError(
        `the target does not know any more what ${path} says was replayed`,
        'the topics or the group of the replay are gone: remove the map to replay all of it again',
      )
    } else unconfirmed = tx
  }
  for (const [place, offset] of confirmed) {
    if (offset === (mapped.get(place) ?? 0)) continue
    throw new ReplayRefusedError(
      `${path} says nothing of what was replayed to ${place} before offset ${offset}`,
      'give the map (--map) with which the replay began',
    )
  }
  return { end, transaction }
}

function requireReplay(text: string, path: string, replay: string): void {
  if (replayOf(text, path) === replay) return
  throw new ReplayRefusedError(
    `${path} is the map of another replay`,
    'each source, target and filter needs a map of its own: name another file (--map)',
  )
}

function replayOf(text: string, path: string): string {
  return read(text, path, (shape) => {
    shape.get('format').version(1)
    return shape.get('replay').text()
  })
}

function parseEntry(text: string, path: string): { entry: MapEntry; tx: number } {
  return read(text, path, (shape) => {
    const entry = {
      topic: shape.get('topic').text(),
      partition: shape.get('partition').count(),
      to: shape.get('to').text(),
      next: shape.get('next').count(),
      runs: shape.get('runs').list((run) => {
        const [source = 0, count = 0, target = 0] = run.list((number) => number.count())
        return { source, count, target }
      }),
    }
    return { entry, tx: shape.get('tx').count() }
  })
}

function read<Result>(text: string, path: string, by: (shape: JsonShape) => Result): Result {
  try {
    return by(JsonShape.parse(Buffer.from(text), path))
  } catch (error) {
    if (!(error instanceof CorruptRepositoryError)) throw error
    const hint = 'name another file (--map), or remove it to replay all of it again'
    throw new ReplayRefusedError(`${path} is not a map of a replay: ${error.reason}`, hint)
  }
}

/** Whole lines; half a one at the end was being written when its writer died. */
async function* linesOf(
  file: File,
  end: number,
): AsyncGenerator<{ readonly text: string; readonly after: number }, void, undefined> {
  const stretch = Buffer.allocUnsafe(stretchBytes)
  let rest: Buffer = Buffer.alloc(0)
  for (let position = 0; position < end; ) {
    const wanted = stretch.subarray(0, Math.min(stretchBytes, end - position))
    const count = await file.read(wanted, position)
    if (count === 0) return
    const bytes = Buffer.concat([rest, wanted.subarray(0, count)])
    const start = position - rest.length
    position += count
    let from = 0
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
      yield { text: bytes.toString('utf8', from, at), after: start + at + 1 }
      from = at + 1
    }
    rest = bytes.subarray(from)
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }) {
  return `${topic}-${partition}`
}
