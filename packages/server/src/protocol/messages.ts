import type {
  ApiDeclaration,
  Decoded,
  Encodable,
  RequestOf,
  ResponseOf,
} from './api-declaration.ts'
import { codecOf, type MessageCodec } from './message-codec.ts'
import {
  asMalformed,
  readResponseHeader,
  writeRequestHeader,
  writeResponseHeader,
} from './message-headers.ts'
import { defaultElementsMax, MessageReader } from './message-reader.ts'
import { MessageWriter, UnsendableValue } from './message-writer.ts'
import type { FramePiece } from './unread-bytes.ts'

// Whole messages. Frames to be sent come with their size in front; frames that were received are
// what lies behind it.

export interface DecodeOptions {
  /**
   * How many elements the arrays of a message may have together: each becomes an object, which
   * takes more memory than the bytes it came in.
   *
   * @defaultValue 262,144
   */
  readonly elementsMax?: number
}

/**
 * The body of a request, which begins at `bodyAt` and ends with the frame. `bytes` and `records` in
 * it are views of the frame: whoever keeps one for long makes a copy, or keeps the frame.
 * What follows the body is let be, as Kafka does: librdkafka 2.16 asks for all topics with three
 * bytes more than the message has.
 *
 * @throws MalformedMessageError
 */
export function decodeRequest<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  frame: Buffer,
  bodyAt: number,
  options: DecodeOptions = {},
): RequestOf<Api> {
  const codec = codecOf(api, 'request', version)
  return decodeBody(codec, frame, bodyAt, options, () => undefined) as RequestOf<Api>
}

/**
 * A response as a frame in one or more pieces: large records are sent from where they are. None of
 * them may be unread.
 *
 * @throws InvalidArgumentError a value does not fit its field.
 */
export function encodeResponse<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  correlationId: number,
  response: ResponseOf<Api>,
): readonly Uint8Array[] {
  return encodeAnswer(api, version, correlationId, response) as readonly Uint8Array[]
}

/**
 * The same, where records may also be such as are read when they are sent.
 *
 * @throws InvalidArgumentError a value does not fit its field.
 */
export function encodeAnswer<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  correlationId: number,
  response: ResponseOf<Api>,
): readonly FramePiece[] {
  const codec = codecOf(api, 'response', version)
  return encodeFrame(codec, response, api, version, { correlationId })
}

/** A request as a client sends it. */
export function encodeRequest<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  origin: { readonly correlationId: number; readonly clientId: string | null },
  request: Encodable<Api['request']>,
): readonly Uint8Array[] {
  const codec = codecOf(api, 'request', version)
  // What is not read yet is sent in answers only.
  return encodeFrame(codec, request, api, version, origin) as readonly Uint8Array[]
}

/**
 * A response as a client reads it.
 *
 * @throws MalformedMessageError
 */
export function decodeResponse<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  frame: Buffer,
  options: DecodeOptions = {},
): { readonly correlationId: number; readonly response: Decoded<Api['response']> } {
  const codec = codecOf(api, 'response', version)
  const { correlationId, bodyAt } = readResponseHeader(frame, api, version, codec.messageName)
  const atEnd = (reader: MessageReader): void => reader.expectEnd()
  const response = decodeBody(codec, frame, bodyAt, options, atEnd) as Decoded<Api['response']>
  return { correlationId, response }
}

function decodeBody(
  codec: MessageCodec,
  frame: Buffer,
  bodyAt: number,
  { elementsMax = defaultElementsMax }: DecodeOptions,
  afterwards: (reader: MessageReader) => void,
): unknown {
  const reader = new MessageReader(frame, bodyAt, elementsMax)
  try {
    const body = codec.decode(reader)
    afterwards(reader)
    return body
  } catch (error) {
    throw asMalformed(codec.messageName, error)
  }
}

/** One for all messages, since encoding one is a single synchronous step. */
const sharedWriter = new MessageWriter()

/** A request where the origin names its client, else a response. */
function encodeFrame(
  codec: MessageCodec,
  body: unknown,
  api: ApiDeclaration,
  version: number,
  origin: { readonly correlationId: number; readonly clientId?: string | null },
): readonly FramePiece[] {
  const writer = sharedWriter
  writer.reset()
  try {
    writer.int32(0)
    const { correlationId, clientId } = origin
    if (clientId === undefined) writeResponseHeader(writer, api, version, correlationId)
    else writeRequestHeader(writer, api, version, { correlationId, clientId })
    codec.encode(writer, body)
    writer.bytes.writeInt32BE(writer.sizeBytes - 4, 0)
    return writer.finish()
  } catch (error) {
    throw error instanceof UnsendableValue ? error.asInvalidArgument(codec.messageName) : error
  }
}
