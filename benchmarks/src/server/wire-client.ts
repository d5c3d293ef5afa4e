import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type ApiName,
  apiNamed,
  decodeResponse,
  encodeRequest,
  errorNameOf,
  FrameSplitter,
} from '@varve/server'

/** Longer than a broker may take for anything that is asked of it here. */
const patienceMs = 60_000

/** Kafka's wire, spoken to either broker: what no client that is measured does for us. */
export class WireClient {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter(2 ** 24)

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Rejects when nobody listens there. */
  static async connect(port: number): Promise<WireClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Of a topic with nothing in it; it can be written to and read from afterwards. */
  async createTopic(
    name: string,
    partitions: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
    const replication = { numPartitions: partitions, replicationFactor: 1, assignments: [] }
    const request = { topics: [{ name, ...replication, configs }], timeoutMs: patienceMs }
    const api = apiNamed('CreateTopics')
    const { response } = decodeResponse(
      api,
      4,
      await this.#ask('CreateTopics', encodeRequest(api, 4, origin, request)),
    )
    for (const { errorCode } of response.topics ?? []) expectNone(name, errorCode)
    while (!(await this.#isServed(name, partitions))) await new Promise(setImmediate)
  }

  async deleteTopic(name: string): Promise<void> {
    const api = apiNamed('DeleteTopics')
    const request = { topicNames: [name], timeoutMs: patienceMs }
    const frame = await this.#ask('DeleteTopics', encodeRequest(api, 3, origin, request))
    for (const { errorCode } of decodeResponse(api, 3, frame).response.responses ?? []) {
      expectNone(name, errorCode)
    }
  }

  /** Whether the broker knows itself: then it serves. */
  async isServing(): Promise<boolean> {
    return ((await this.#metadata([])).brokers ?? []).length > 0
  }

  close(): void {
    this.#socket.destroy()
  }

  async #isServed(name: string, partitions: number): Promise<boolean> {
    const { topics } = await this.#metadata([{ name }])
    const served = (topics ?? []).flatMap(({ partitions: all }) => all ?? [])
    return served.filter(({ errorCode }) => errorCode === 0).length === partitions
  }

  async #metadata(topics: readonly { readonly name: string }[]) {
    const api = apiNamed('Metadata')
    const request = { topics, allowAutoTopicCreation: false }
    const frame = await this.#ask('Metadata', encodeRequest(api, 4, origin, request))
    return decodeResponse(api, 4, frame).response
  }

  async #ask(name: ApiName, pieces: readonly Uint8Array[]): Promise<Buffer> {
    for (const piece of pieces) this.#socket.write(piece)
    const late = AbortSignal.timeout(patienceMs)
    while (true) {
      const [bytes] = (await once(this.#socket, 'data', { signal: late })) as [Buffer]
      const [frame] = this.#splitter.push(bytes)
      if (frame !== undefined) return frame
      if (this.#socket.destroyed) throw new Error(`${name} was not answered`)
    }
  }
}

const origin = { correlationId: 1, clientId: 'benchmarks' }

function expectNone(name: string, errorCode: number): void {
  if (errorCode !== 0) throw new Error(`${name}: ${errorNameOf(errorCode) ?? errorCode}`)
}
