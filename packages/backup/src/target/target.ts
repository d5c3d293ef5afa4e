/** A file of a repository as a listing shows it. */
export interface StoredFile {
  readonly key: string
  readonly sizeBytes: number
  /** By the clock of the store, in ms since the epoch. */
  readonly modifiedMs: number
}

export interface PutOptions {
  /**
   * - `new`: there must be no file of that key; the one that is there stays. @defaultValue
   * - `replace`: whatever is there is replaced, in one step.
   */
  readonly mode?: 'new' | 'replace'
  /** Stops what can be stopped. */
  readonly signal?: AbortSignal
}

export interface GetOptions {
  /** Stops what can be stopped. */
  readonly signal?: AbortSignal
  /** Gives memory for a file; not every store makes use of it. @defaultValue fresh memory */
  readonly memory?: (bytes: number) => Buffer
}

/**
 * Where a repository's files are kept: a directory, or a bucket. Keys are paths of ASCII letters,
 * digits, `.`, `_`, `-` and `/`, at most 512 characters. A file is there whole or not at all, and
 * what `put` has resolved is durable and is found by everybody's next `get`, `stat` and `list`.
 *
 * Methods reject with TargetError when the storage fails.
 */
export interface Target {
  /** For people and messages; holds no secrets. */
  readonly name: string
  /**
   * Whether `put` with mode `new` is decided by the store itself. Where it is not, two who write
   * the same key at the same moment may both believe that they made it.
   */
  readonly isCreateOnlyAtomic: boolean
  /** Resolves to false when mode is `new` and there is a file of that key. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<boolean>
  /** Null when there is no such file. What it resolves to is the caller's: nobody else has it. */
  get(key: string, options?: GetOptions): Promise<Buffer | null>
  /** Null when there is no such file. */
  stat(key: string): Promise<StoredFile | null>
  /** Every file whose key begins with `prefix`, which ends with `/` or is empty; sorted by key. */
  list(prefix: string): AsyncIterable<StoredFile>
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>
  /**
   * Makes durable what others may have left visible and not durable under a prefix. Not there where
   * whatever is visible is durable.
   */
  settle?(prefix: string): Promise<void>
  close(): Promise<void>
}

const keyPattern = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/
const keyCharactersMax = 512

/** Whether a store may be asked for it: nothing that a key says leads out of the repository. */
export function isTargetKey(key: string): boolean {
  if (key.length > keyCharactersMax || !keyPattern.test(key)) return false
  return !key.split('/').some((part) => part === '.' || part === '..')
}
