import type { Socket } from 'node:net'
import type { FramePiece } from '../protocol/unread-bytes.ts'
import type { FramePool } from './frame-pool.ts'

/**
 * So much is read before it is sent: one partition's share of an answer, mostly. Less stays in
 * smaller caches, but each part costs a call of the socket.
 */
const partBytes = 2 ** 20
/** Pieces that are larger are sent from where they are. */
const copiedBytesMax = 16 * 1024
/** After so many bytes others have their turn at the event loop. */
const turnBytesMax = 2 * 2 ** 20

const noPieces: readonly FramePiece[] = []
const noBytes = Buffer.alloc(0)

export interface SendingContext {
  readonly frames: FramePool
  /** More can be sent, or all of the answer has been. */
  goOn(): void
  /** What was announced to the client can't be sent. */
  failed(error: unknown): void
}

/**
 * Sends the answers of one connection. Of one that has bytes which are not read yet, one part at a
 * time is read and sent, and the next when the socket has taken that: it takes little memory,
 * however large it is, and none of what a client does not read.
 */
export class AnswerSending {
  readonly #socket: Socket
  readonly #context: SendingContext
  /** Of the answer that is not read to its end. */
  #pieces: readonly FramePiece[] = noPieces
  #index = 0
  /** Bytes of the piece there that were taken. */
  #taken = 0
  #part: Buffer | null = null
  /** A read or others' turn is waited for. */
  #isWaiting = false
  #isClosed = false

  constructor(socket: Socket, context: SendingContext) {
    this.#socket = socket
    this.#context = context
  }

  /** Whether an answer is to be sent to its end before the next one. */
  get isUnderWay(): boolean {
    return this.#pieces.length > 0
  }

  /** Begins an answer, of which the rest is sent by `goOn`. */
  begin(answer: readonly FramePiece[]): void {
    if (answer.every((piece) => piece instanceof Uint8Array)) {
      this.#sendWhole(answer)
      return
    }
    this.#pieces = answer
    this.#index = 0
    this.#taken = 0
  }

  /** Sends as much as the socket takes now. */
  goOn(): void {
    const socket = this.#socket
    let leftBytes = turnBytesMax
    while (this.isUnderWay && !this.#isWaiting && socket.writableLength === 0) {
      if (socket.destroyed) return
      if (leftBytes <= 0) {
        this.#wait(new Promise((resolve) => setImmediate(resolve)))
        return
      }
      try {
        const sent = this.#sendPart()
        if (typeof sent !== 'number') {
          this.#wait(sent)
          return
        }
        leftBytes -= sent
      } catch (error) {
        this.#context.failed(error)
        return
      }
    }
    if (this.isUnderWay && !this.#isWaiting) this.#awaitSocket()
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true
    for (const piece of this.#pieces) if (!(piece instanceof Uint8Array)) piece.close()
    // What is still being read, or was lost on its way, may be looked at: the collector has it.
    this.#pieces = noPieces
    this.#part = null
  }

  /** Of little that it still has, a socket does not tell when it is gone. */
  #awaitSocket(): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableNeedDrain) return
    this.#wait(new Promise((resolve) => socket.write(noBytes, () => resolve())))
  }

  #wait(until: Promise<void>): void {
    this.#isWaiting = true
    until.then(
      () => {
        this.#isWaiting = false
        if (!this.#isClosed) this.#context.goOn()
      },
      (error: unknown) => {
        if (!this.#isClosed) this.#context.failed(error)
      },
    )
  }

  /** The bytes that were sent; a promise where they have to be waited for. */
  #sendPart(): number | Promise<void> {
    this.#part ??= this.#context.frames.take(partBytes)
    const part = this.#part
    let filled = 0
    for (; filled < part.length; ) {
      const piece = this.#pieces[this.#index]
      if (piece === undefined) break
      const isLarge = piece instanceof Uint8Array && piece.length > copiedBytesMax
      if (isLarge && filled > 0) break
      if (isLarge) {
        this.#step(piece, piece.length)
        this.#write(piece)
        return piece.length
      }
      const count = Math.min(piece.length - this.#taken, part.length - filled)
      const from = this.#taken
      this.#step(piece, count)
      const target = part.subarray(filled, filled + count)
      filled += count
      if (piece instanceof Uint8Array) target.set(piece.subarray(from, from + count))
      else {
        const reading = piece.read(target, from)
        if (reading !== undefined) return reading.then(() => this.#wrote(part, filled))
      }
    }
    this.#write(part.subarray(0, filled))
    return filled
  }

  #wrote(part: Buffer, filled: number): void {
    if (!this.#isClosed) this.#write(part.subarray(0, filled))
  }

  #step(piece: FramePiece, count: number): void {
    this.#taken += count
    if (this.#taken < piece.length) return
    this.#index++
    this.#taken = 0
  }

  #write(bytes: Uint8Array): void {
    if (this.#index < this.#pieces.length) {
      this.#socket.write(bytes)
      return
    }
    const all = [...this.#pieces, this.#part]
    this.#pieces = noPieces
    this.#part = null
    this.#socket.write(bytes, (error) => this.#sent(all, error))
  }

  #sendWhole(answer: readonly Uint8Array[]): void {
    const last = answer.length - 1
    for (let index = 0; index < last; index++) this.#socket.write(answer[index] as Uint8Array)
    if (last === 0) this.#socket.write(answer[last] as Uint8Array)
    else this.#socket.write(answer[last] as Uint8Array, (error) => this.#sent(answer, error))
  }

  #sent(pieces: readonly (FramePiece | null)[], error: Error | null | undefined): void {
    // The memory of what was lost on its way may still be looked at: the collector has it.
    if (error) return
    const { frames } = this.#context
    for (const piece of pieces) if (piece instanceof Uint8Array) frames.giveBack(piece)
  }
}
