/** What a request says of itself before its body. */
export interface RequestFacts {
  readonly apiKey: number
  readonly version: number
  readonly clientId: string | null
  /** Name and version of the client's software, from its ApiVersions request; null before. */
  readonly software: string | null
}

/** More of a request than this is never looked at. */
const headBytesMax = 512
const apiVersionsKey = 18
/** From this version on, ApiVersions names the client's software. */
const namingVersionMin = 3

/** Reads the heads of the requests in a stream of them, and lets all else go by. */
export class RequestWatcher {
  readonly #onRequest: (facts: RequestFacts) => void
  #software: string | null = null
  /** The request's length and its beginning. */
  #head = Buffer.alloc(0)
  /** Bytes of the request in hand that have still to go by after its head; null: no length yet. */
  #left: number | null = null

  constructor(onRequest: (facts: RequestFacts) => void) {
    this.#onRequest = onRequest
  }

  take(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) rest = this.#takeSome(rest)
  }

  /** Returns what it has not used. */
  #takeSome(bytes: Buffer): Buffer {
    const wanted = this.#left === null ? 4 - this.#head.length : this.#left
    const part = bytes.subarray(0, wanted)
    const room = 4 + headBytesMax - this.#head.length
    if (room > 0) this.#head = Buffer.concat([this.#head, part.subarray(0, room)])
    if (this.#left === null) {
      if (this.#head.length === 4) this.#left = this.#head.readUInt32BE(0)
    } else {
      this.#left -= part.length
    }
    if (this.#left === 0) {
      this.#read(this.#head.subarray(4))
      this.#head = Buffer.alloc(0)
      this.#left = null
    }
    return bytes.subarray(part.length)
  }

  #read(head: Buffer): void {
    if (head.length < 10) return
    const apiKey = head.readInt16BE(0)
    const version = head.readInt16BE(2)
    const length = head.readInt16BE(8)
    const clientId = length < 0 ? null : head.toString('utf8', 10, 10 + length)
    if (apiKey === apiVersionsKey && version >= namingVersionMin) {
      // After the client id and the header's tagged fields, of which there are none.
      this.#software = softwareIn(head.subarray(10 + Math.max(length, 0) + 1))
    }
    this.#onRequest({ apiKey, version, clientId, software: this.#software })
  }
}

/** Two compact strings, shorter than 127 bytes each. */
function softwareIn(body: Buffer): string | null {
  const nameEnd = body[0] ?? 0
  const versionStart = nameEnd + 1
  const versionEnd = versionStart - 1 + (body[nameEnd] ?? 0)
  if (nameEnd === 0 || versionEnd > body.length) return null
  return `${body.toString('utf8', 1, nameEnd)} ${body.toString('utf8', versionStart, versionEnd)}`
}
