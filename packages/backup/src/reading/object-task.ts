// What passes between the process that reads a repository and the threads that decrypt, decompress
// and check for it. Plain data.

export interface ObjectTask {
  /** The object's file. */
  readonly file: Uint8Array
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

/** Errors lose their class between threads, so they are told in words. */
export type ObjectOutcome =
  | { readonly isSound: true; readonly content: Uint8Array | null }
  | { readonly isSound: false; readonly reason: string }
