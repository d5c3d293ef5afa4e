import type { ApiDeclaration, RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import type { Api } from '../protocol/apis.ts'
import { decodeRequest, encodeAnswer } from '../protocol/messages.ts'
import type { IncomingRequest } from '../protocol/requests.ts'
import type { FramePiece } from '../protocol/unread-bytes.ts'
import { parseVersionRange, type VersionRange } from '../protocol/version-range.ts'
import type { Operation, ResourceType } from './access.ts'
import type { Client } from './client.ts'
import type { Throttle } from './throttle.ts'
import type { Turns } from './turns.ts'

/** A request on its way through a handler. */
export interface Call {
  readonly version: number
  readonly correlationId: number
  /** What the client calls itself in this request; may be null. */
  readonly clientId: string | null
  readonly client: Client
  /**
   * Memory for so many bytes at least, to be sent as a part of the answer: used again when that has
   * been sent. Only for answers of which nothing else keeps a view.
   */
  answerMemory(sizeBytes: number): Buffer
  /**
   * In which it is answered where there is much to be done. Once it has given way, what its client
   * has sent after it waits for its answer.
   */
  readonly turns: Turns
  /** Null where the client is held to no quotas. */
  readonly throttle: Throttle | null
  /** Whether the client may do this. */
  may(operation: Operation, type: ResourceType, name: string): boolean
  /** Whether the client may do this to any resource of the type. */
  mayAny(operation: Operation, type: ResourceType): boolean
}

/** What a handler answers; null where the client expects no answer. */
export type Answer<Declaration extends ApiDeclaration> = ResponseOf<Declaration> | null

/** Answers the requests of one API: what is in this list is offered, and nothing else is. */
export interface ApiHandler {
  readonly api: Api
  /** The versions that are answered. */
  readonly versions: VersionRange
  /** The versions that clients are told of, where that is not the same. */
  readonly advertised: VersionRange
  /**
   * Whether a connection's next request may be begun before this one is answered, when that one may
   * overlap too. What has to happen in order happens before the handler first waits; answers are
   * sent in order in any case.
   */
  readonly overlaps: boolean
  /**
   * Whether something may still look into the request's frame when it has been answered: in its
   * `bytes` and `records`, which are views of it. If not, the frame's memory is used again.
   */
  readonly keepsRequest: boolean
  /** Whether a request is begun also when its client has ended after it. */
  readonly outlivesClient: boolean
  /** Whether it answers those who have not said who they are yet. */
  readonly isForStrangers: boolean
  /**
   * The answer as pieces of a frame; null where there is none.
   *
   * Rejects with MalformedMessageError for a body that is not one; whatever else it rejects with is
   * a mistake of the handler. Either ends the connection.
   */
  answer(call: Call, request: IncomingRequest): Promise<readonly FramePiece[] | null>
}

export interface HandlerOptions {
  /** As in declarations: `'0-12'`. */
  readonly versions: string
  /** @defaultValue the versions */
  readonly advertised?: string
  /** @defaultValue false */
  readonly overlaps?: boolean
  /** @defaultValue true */
  readonly keepsRequest?: boolean
  /** @defaultValue false */
  readonly outlivesClient?: boolean
  /** @defaultValue false */
  readonly isForStrangers?: boolean
}

/**
 * A handler of an API out of a function that is given a request and returns its answer. The
 * function begins at once, in the turn in which the request has come.
 */
export function handlerOf<Declaration extends Api>(
  api: Declaration,
  options: HandlerOptions,
  handle: (
    call: Call,
    request: RequestOf<Declaration>,
  ) => Answer<Declaration> | Promise<Answer<Declaration>>,
): ApiHandler {
  const { versions, advertised = versions, overlaps = false, isForStrangers = false } = options
  const { keepsRequest = true, outlivesClient = false } = options
  return {
    api,
    versions: parseVersionRange(versions),
    advertised: parseVersionRange(advertised),
    overlaps,
    keepsRequest,
    outlivesClient,
    isForStrangers,
    async answer(call, { frame, bodyAt }) {
      const { version, correlationId, throttle } = call
      if (throttle !== null) {
        const begin = () => handle(call, decodeRequest(api, version, frame, bodyAt))
        const encode = (response: ResponseOf<Declaration>) =>
          encodeAnswer(api, version, correlationId, response)
        return throttledAnswer(throttle, begin, encode)
      }
      const request = decodeRequest(api, version, frame, bodyAt)
      const response = await handle(call, request)
      if (response === null) return null
      return encodeAnswer(api, version, correlationId, response)
    },
  }
}

/** The same for a client that is held to quotas: it is told how long it has to hold back. */
async function throttledAnswer<Response>(
  throttle: Throttle,
  begin: () => Response | null | Promise<Response | null>,
  encode: (response: Response) => readonly FramePiece[],
): Promise<readonly FramePiece[] | null> {
  const response = await throttle.timed(begin)
  const throttleTimeMs = throttle.end(response !== null)
  if (response === null) return null
  const told = throttleTimeMs === 0 ? response : { ...response, throttleTimeMs }
  return throttle.timed(() => encode(told))
}
