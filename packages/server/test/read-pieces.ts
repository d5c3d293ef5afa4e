import type { FramePiece } from '../src/protocol/unread-bytes.ts'

/** The pieces of a frame in one, of which none may be unread. */
export function readPieces(pieces: readonly FramePiece[] | null): Buffer {
  return Buffer.concat(
    (pieces ?? []).map((piece) => {
      if (piece instanceof Uint8Array) return piece
      throw new Error('there are bytes that have not been read')
    }),
  )
}
