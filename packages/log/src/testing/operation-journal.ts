/**
 * What a simulated file system has been asked to change or flush, in order: enough to say what the
 * disk can hold at any moment since the journal began. Nodes are named by id, since paths change.
 */
export type Operation = NameOperation | DataOperation | FlushStart | FlushEnd | Placement

/** The new state of one name; null when the name is gone. */
export interface NameChange {
  readonly directory: number
  readonly name: string
  readonly node: number | null
}

/** An atomic change of names in one or two directories. */
export interface NameOperation {
  readonly kind: 'create' | 'makeDirectory' | 'rename' | 'link' | 'remove' | 'removeDirectory'
  readonly path: string
  readonly toPath?: string
  readonly changes: readonly NameChange[]
  /** The file or directory that it is about. */
  readonly node: number
  /** A name whose state it builds on without changing it: the one that a link was made from. */
  readonly basis?: Omit<NameChange, 'node'>
  readonly timeMs: number
}

export type DataOperation = Write | Truncation | ModifiedTime

export interface Write {
  readonly kind: 'write'
  readonly path: string
  readonly node: number
  readonly position: number
  readonly bytes: Uint8Array
  readonly timeMs: number
}

export interface Truncation {
  readonly kind: 'truncate'
  readonly path: string
  readonly node: number
  readonly sizeBytes: number
  readonly timeMs: number
}

export interface ModifiedTime {
  readonly kind: 'setModifiedTime'
  readonly path: string
  readonly node: number
  readonly timeMs: number
}

/** A flush covers what was done before it started … */
export interface FlushStart {
  readonly kind: 'datasync' | 'syncDirectory'
  readonly path: string
  readonly node: number
}

/** … and promises it when it has ended. */
export interface FlushEnd {
  readonly kind: 'flushed' | 'flushFailed'
  readonly path: string
  readonly node: number
  /** Index in the journal of the start. */
  readonly start: number
  /** Of a failed flush of data: whether the cache still shows what was not written. */
  readonly cache: 'kept' | 'dropped'
}

/** Something arranged by a test: it is durable at once. */
export interface Placement {
  readonly kind: 'placeFile' | 'placeDirectory' | 'flipBit'
  readonly path: string
  readonly node: number
  readonly change: NameChange | null
  readonly bytes: Uint8Array | null
  readonly bit: number
  readonly timeMs: number
}

/** One line for people: `write /data/a.log 40+12`. */
export function describeOperation(operation: Operation): string {
  const { kind, path } = operation
  switch (kind) {
    case 'write':
      return `write ${path} ${operation.position}+${operation.bytes.length}`
    case 'truncate':
      return `truncate ${path} to ${operation.sizeBytes}`
    case 'rename':
    case 'link':
      return `${kind} ${path} to ${operation.toPath}`
    case 'flushed':
    case 'flushFailed':
      return `${kind} ${path} (started as operation ${operation.start})`
    case 'flipBit':
      return `flipBit ${path} ${operation.bit}`
    default:
      return `${kind} ${path}`
  }
}
