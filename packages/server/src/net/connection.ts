import type { Socket } from 'node:net'
import { ClosedError } from '@varve/broker'
import { anonymousPrincipal } from '../base/access.ts'
import type { ApiHandler } from '../base/api-handler.ts'
import type { AdvertisedAddress, Client, ClientSoftware } from '../base/client.ts'
import type { Login } from '../base/login.ts'
import { LoginRefusedError, NotLoggedInError } from '../base/server-errors.ts'
import { FrameSplitter } from '../protocol/frame-splitter.ts'
import { UnsupportedApiError } from '../protocol/protocol-errors.ts'
import { type IncomingRequest, openRequest } from '../protocol/requests.ts'
import type { FramePiece } from '../protocol/unread-bytes.ts'
import { includesVersion } from '../protocol/version-range.ts'
import type { Admitted } from './admission.ts'
import { AnswerSending } from './answer-sending.ts'
import { BeginningTurn } from './beginning-turn.ts'
import { ClientPace } from './client-pace.ts'
import type { ConnectionContext } from './connection-context.ts'
import { directSocket } from './direct-socket.ts'
import { Hold } from './hold.ts'
import { callOf } from './request-call.ts'
import { type BegunRequest, RequestLine } from './request-line.ts'
import { unsupportedVersionAnswer } from './unsupported-version.ts'

/**
 * Where sockets read to when no frame has begun that has a place of its own: what is read there is
 * looked at, and copied, before anything else is read.
 */
const readMemory: Buffer = Buffer.allocUnsafeSlow(256 * 1024)

/** Who has come. */
export interface Arrival {
  readonly connectionId: number
  /** The client's address. */
  readonly host: string
  readonly admitted: Admitted
  /** What its certificate says who it is; null where none was shown. */
  readonly certified: string | null
}

/** Above it a connection's client is to read its answers before more of its requests are read. */
const unsentBytesMax = 4 * 2 ** 20

/**
 * A client's connection: cuts what comes into requests, has them answered, and sends the answers in
 * the order of the requests. Requests are answered one at a time, but for those that may overlap
 * (see ApiHandler). A client that sends what is no request, or asks for what is not offered, loses
 * its connection, as with Kafka; it is read from only while its answers are being taken.
 */
export class Connection implements Client {
  readonly connectionId: number
  readonly host: string
  readonly login: Login | null
  software: ClientSoftware = { name: '', version: '' }
  readonly #socket: Socket
  readonly #admitted: Admitted
  readonly #certified: string
  readonly #pace: ClientPace
  readonly #hold: Hold
  readonly #context: ConnectionContext
  readonly #splitter: FrameSplitter
  readonly #line: RequestLine
  readonly #sending: AnswerSending
  readonly #closed = new Set<() => void>()
  #isClosed = false
  /** Its client has said that it ends, and not broken off. */
  #hasClientEnded = false
  #isGoingOn = false
  readonly #turn: BeginningTurn
  #nextTurn: NodeJS.Immediate | null = null
  #isPaused = false
  #isEnding = false
  #isSettled = false
  #isUnwelcome = false
  #cancelRoom: (() => void) | null = null

  constructor(accepted: Socket, arrival: Arrival, context: ConnectionContext) {
    this.connectionId = arrival.connectionId
    this.#admitted = arrival.admitted
    this.#certified = arrival.certified ?? anonymousPrincipal
    this.host = arrival.host
    this.#context = context
    this.#line = new RequestLine(context.memory)
    const { requestBytesMax, connectionIdleMsMax, limits } = context.server.options
    this.login = context.newLogin?.(this) ?? null
    const { newcomerRequestBytesMax } = limits
    this.#splitter = new FrameSplitter(
      this.login === null ? requestBytesMax : Math.min(newcomerRequestBytesMax, requestBytesMax),
      context.memory.frames,
    )
    const { slowClients, memory } = context
    const { clock } = context.server
    const giveUp = (reason: string): void => this.#giveUp(reason)
    this.#turn = new BeginningTurn(clock)
    this.#pace = new ClientPace({ slowClients, limits, clock, giveUp })
    this.#hold = new Hold({ clock, memory, giveUp, ended: () => this.#goOn() })
    if (this.login !== null) this.#pace.awaitLogin()
    const socket = this.#readFrom(accepted)
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setTimeout(connectionIdleMsMax, () => this.#end('idle'))
    this.#sending = new AnswerSending(socket, {
      frames: memory.frames,
      goOn: () => this.#sendAnswers(),
      failed: (error) => this.#refuse(error, 'a connection was closed within an answer'),
    })
    socket.on('drain', () => this.#sendAnswers())
    socket.on('end', () => {
      this.#hasClientEnded = true
    })
    socket.on('error', (error) => this.#lost(error))
    socket.on('close', () => this.#wasClosed())
  }

  /** Kafka's KafkaPrincipal: by login, else by certificate. */
  get principal(): string {
    return this.login === null ? this.#certified : (this.login.principal ?? anonymousPrincipal)
  }

  get listenerName(): string {
    return this.#context.listenerName
  }

  get advertised(): AdvertisedAddress {
    return this.#context.advertised
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** How many requests have come and are not answered to the end. */
  get openRequests(): number {
    return this.#line.length + (this.#sending.isUnderWay ? 1 : 0)
  }

  onClosed(callback: () => void): () => void {
    this.#closed.add(callback)
    return () => this.#closed.delete(callback)
  }

  /** Takes no more requests, and ends when those that have come are answered. */
  end(): void {
    this.#isEnding = true
    this.#pause()
    this.#hold.end()
    if (this.openRequests === 0) this.#leave()
  }

  holdBack(ms: number): void {
    if (!this.#isEnding && !this.#isClosed) this.#hold.begin(ms)
  }

  finish(): void {
    this.#isUnwelcome = true
    this.#line.dropWaiting()
    this.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Ends when all is written; the client may say that it ends, too, if it is trusted to. */
  #leave(): void {
    if (this.#isUnwelcome) this.#socket.destroySoon()
    else {
      this.#socket.end()
      // That the client ends is read, too; what it sends before that is let be.
      this.#socket.resume()
    }
  }

  /** Straight to where requests stay, where that can be had. */
  #readFrom(accepted: Socket): Socket {
    const splitter = this.#splitter
    const direct = directSocket(accepted, {
      target: () => (this.#isEnding ? readMemory : (splitter.room ?? readMemory)),
      received: (count) => {
        if (this.#isEnding) return
        const frames =
          splitter.room === null
            ? splitter.push(readMemory.subarray(0, count))
            : splitter.filled(count)
        this.#received(count, frames)
      },
    })
    splitter.isPieceReused = direct !== null
    if (direct !== null) return direct
    accepted.on('data', (piece: Buffer) => this.#received(piece.length, splitter.push(piece)))
    accepted.resume()
    return accepted
  }

  #received(count: number, frames: readonly Buffer[]): void {
    if (this.#isEnding) return
    const splitter = this.#splitter
    for (const frame of frames) this.#line.add(frame)
    if (this.#nextTurn === null) this.#turn.begin()
    const heldBytes = splitter.isInsideFrame ? splitter.heldBytes : null
    this.#pace.received(count, heldBytes, frames.length > 0)
    this.#goOn()
    if (this.#splitter.failure !== null) this.#refuse(this.#splitter.failure)
  }

  /**
   * Begins what may be begun, and reads on where there is room. Of a client that has ended, only
   * what counts without it is begun, and the rest forgotten.
   */
  #goOn(): void {
    // What is answered at once comes here again while the loop is at its next already: a client can
    // send more of such requests in one piece than the stack has room for.
    if (this.#isGoingOn || this.#nextTurn !== null) return
    this.#isGoingOn = true
    this.#beginWaiting()
    this.#isGoingOn = false
    if (this.#isClosed) {
      if (!this.#line.isAnyBegun && this.#nextTurn === null) this.#line.dropWaiting()
      return
    }
    if (this.#isEnding) {
      if (this.openRequests === 0) this.#leave()
      return
    }
    const { isOn } = this.#hold
    if (this.#line.next !== null) this.#hold.keepRequests()
    const isFull = this.#line.isFull || this.#hasUnsent || isOn
    if (isFull || this.#context.memory.isFull) this.#pause()
    else this.#resume()
  }

  #beginWaiting(): void {
    for (;;) {
      if (!this.#isClosed && (this.#hasUnsent || this.#hold.isOn)) return
      const frame = this.#line.next
      if (frame === null) return
      if (this.#turn.isOver) break
      this.#begin(frame)
      if (this.#line.next === frame) return
      this.#turn.count()
    }
    this.#nextTurn = setImmediate(() => {
      this.#nextTurn = null
      this.#turn.begin()
      this.#goOn()
    })
  }

  get #hasUnsent(): boolean {
    return this.#sending.isUnderWay || this.#socket.writableLength > unsentBytesMax
  }

  /** It still waits afterwards if it has to: for those before it, mostly. */
  #begin(frame: Buffer): void {
    if (this.login?.takesBareTokens === true) {
      this.#beginToken(this.login, frame)
      return
    }
    const request = this.#open(frame)
    if (request === null) return
    const handler = this.#context.handlers.get(request.api.key)
    if (this.#isClosed && handler?.outlivesClient !== true) {
      this.#line.dropNext()
      return
    }
    const overlaps = handler?.overlaps ?? false
    if (!this.#line.mayBegin(overlaps)) return
    if (this.login?.admits(handler?.isForStrangers ?? false) === false) {
      this.#refuse(new NotLoggedInError(request.api.name))
      return
    }
    const begun = this.#line.begin(overlaps, handler?.outlivesClient)
    if (handler === undefined || !includesVersion(handler.versions, request.header.apiVersion)) {
      this.#unsupported(begun, request)
    } else this.#handle(begun, handler, request)
  }

  /** As after SaslHandshake 0: a token without a request around it, answered by another. */
  #beginToken(login: Login, frame: Buffer): void {
    if (this.#line.isAnyBegun || this.#isClosed) return
    const begun = this.#line.begin(false)
    login.authenticate(frame).then(
      (answer) => {
        if (answer.isAccepted) this.#answered(begun, bareToken(answer.bytes))
        else this.#refuse(new LoginRefusedError(answer.errorMessage))
      },
      (error: unknown) => this.#refuse(error),
    )
  }

  /** Null for one that is answered or refused already, or has to wait. */
  #open(frame: Buffer): IncomingRequest | null {
    try {
      return openRequest(frame)
    } catch (error) {
      // What comes before it is answered first.
      if (this.#line.isAnyBegun) return null
      if (error instanceof UnsupportedApiError) {
        const answer = unsupportedVersionAnswer(error, this.#context.handlers)
        if (answer !== null) {
          this.#answered(this.#line.begin(false), answer)
          return null
        }
      }
      this.#refuse(error)
      return null
    }
  }

  #handle(begun: BegunRequest, handler: ApiHandler, request: IncomingRequest): void {
    const giveWay = async (): Promise<void> => {
      begun.overlaps = false
      await new Promise((resolve) => setImmediate(resolve))
      // Nobody waits for the rest.
      if (this.#isClosed && !handler.outlivesClient) throw new ClosedError('the connection')
    }
    handler.answer(callOf(this, request, this.#context, giveWay), request).then(
      (answer) => {
        if (!handler.keepsRequest) this.#context.memory.frames.giveBack(begun.frame)
        this.#answered(begun, answer)
      },
      (error: unknown) => {
        begun.goesOn = false
        if (this.#isClosed) this.#answered(begun, null)
        else this.#refuse(error)
      },
    )
  }

  #unsupported(begun: BegunRequest, { header, api }: IncomingRequest): void {
    const error = new UnsupportedApiError(api.name, header)
    const answer = unsupportedVersionAnswer(error, this.#context.handlers)
    if (answer === null) this.#refuse(error)
    else this.#answered(begun, answer)
  }

  #answered(begun: BegunRequest, answer: readonly FramePiece[] | null): void {
    begun.answer = answer
    begun.isAnswered = true
    if (!this.#isSettled) this.#settle()
    this.#sendAnswers()
  }

  /** Once the client is known, or has asked for something where it need not say who it is. */
  #settle(): void {
    if (this.login !== null && this.login.principal === null) return
    this.#isSettled = true
    this.#admitted.settle()
    this.#pace.loggedIn()
    this.#splitter.maxFrameBytes = this.#context.server.options.requestBytesMax
  }

  #sendAnswers(): void {
    const socket = this.#socket
    const sending = this.#sending
    sending.goOn()
    while (!sending.isUnderWay) {
      let begun = this.#line.takeAnswered()
      if (begun === null) break
      socket.cork()
      for (; begun !== null; begun = sending.isUnderWay ? null : this.#line.takeAnswered()) {
        if (begun.answer !== null && !this.#isClosed) sending.begin(begun.answer)
      }
      socket.uncork()
      sending.goOn()
    }
    if (!this.#isClosed) this.#pace.wrote(socket.writableLength, socket.bytesWritten)
    this.#goOn()
  }

  #pause(): void {
    if (!this.#isPaused) {
      this.#isPaused = true
      this.#pace.hold(true)
      this.#socket.pause()
    }
    if (this.#context.memory.isFull) {
      this.#cancelRoom ??= this.#context.memory.onRoom(() => {
        this.#cancelRoom = null
        this.#goOn()
      })
    }
  }

  #resume(): void {
    if (!this.#isPaused || this.#isClosed) return
    this.#isPaused = false
    this.#pace.hold(false)
    this.#socket.resume()
  }

  #end(reason: string): void {
    const { logger } = this.#context.server
    if (this.openRequests > 0) return
    logger.debug({ client: this.#label, reason }, 'a connection was closed')
    this.#socket.destroy()
  }

  #giveUp(reason: string): void {
    if (this.#isClosed) return
    const { complaints } = this.#context
    complaints.warn({ client: this.#label, reason }, 'a connection was closed for its pace')
    this.#socket.destroy()
  }

  /** What comes from there cannot be answered (to its end), or trusted to be a request at all. */
  #refuse(error: unknown, why = 'a connection was closed for its request'): void {
    if (this.#isClosed) return
    const { complaints } = this.#context
    complaints.warn({ err: error, client: this.#label }, why)
    this.#socket.destroy()
  }

  #lost(error: Error): void {
    const { logger } = this.#context.server
    logger.debug({ err: error, client: this.#label }, 'a connection was lost')
  }

  #wasClosed(): void {
    this.#isClosed = true
    this.#admitted.leave()
    this.#pace.closed()
    this.#cancelRoom?.()
    this.#hold.cancel()
    this.#splitter.abandon()
    this.#sending.close()
    // As with Kafka: who asks for no acknowledgement sends, ends, and is gone.
    this.#line.dropBegun()
    if (this.#hasClientEnded) this.#goOn()
    else this.#line.dropWaiting()
    for (const callback of this.#closed) callback()
    this.#closed.clear()
  }

  get #label(): object {
    const { connectionId, host, principal, software } = this
    return { connectionId, host, principal, software, listener: this.listenerName }
  }
}

function bareToken(bytes: Uint8Array): readonly Uint8Array[] {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return [size, bytes]
}
