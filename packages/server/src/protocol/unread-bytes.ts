/**
 * Bytes of a frame that are read only when they are sent, a part at a time: the batches of a log
 * that stay in their file until then (its `StoredStretch`).
 */
export interface UnreadBytes {
  /** In bytes. */
  readonly length: number
  /**
   * Fills `target` with those from `from` on; a promise where that has to be waited for. Throws, or
   * rejects, where they can't be had any more: then the frame can't be ended.
   */
  read(target: Uint8Array, from: number): Promise<void> | undefined
  /** Lets go of what reading keeps. Not needed before the first read. Idempotent. */
  close(): void
}

/** Frames are sent in pieces. */
export type FramePiece = Uint8Array | UnreadBytes
