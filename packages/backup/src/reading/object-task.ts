// What passes between the process that reads a repository and the threads that decrypt, decompress
// and check for it. Plain data.

export interface ObjectTask {
  /** The object's file. It is decrypted where it lies. */
  readonly file: Uint8Array
  /** Whether nobody else has the memory that the file lies in. */
  readonly isOwn: boolean
  /** Nobody else's memory for the content, where that has to be decompressed. */
  readonly room: Uint8Array | null
  /** Its place, for errors. */
  readonly key: string
  readonly id: Uint8Array
  readonly sizeBytes: number
  readonly idKey: Uint8Array | null
  readonly epochKey: Uint8Array | null
  readonly repositoryId: Uint8Array
  /** Whether the content is a run of whole batches, to be checked one by one. */
  readonly hasBatches: boolean
  /** Whether the content is wanted back. */
  readonly isWanted: boolean
}

/**
 * What a task came to, and the memory that was handed in; the content is a view of that. Errors
 * lose their class between threads, so they are told in words.
 */
export type ObjectOutcome = { readonly memory: readonly Uint8Array[] } & (
  | { readonly isSound: true; readonly content: Uint8Array | null }
  | { readonly isSound: false; readonly reason: string }
)
