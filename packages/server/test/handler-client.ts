import { type DirectoryVarve, openDataDirectory } from '@varve/broker'
import { partsOf, silentLogger } from '@varve/broker/serving'
import { ManualClock, Random, type SimulatedFileSystem } from '@varve/log/testing'
import { anonymousPrincipal } from '../src/base/access.ts'
import type { ApiHandler, Call } from '../src/base/api-handler.ts'
import type { ServerContext } from '../src/base/server-context.ts'
import { resolveServerOptions } from '../src/base/server-options.ts'
import { ServerState } from '../src/base/server-state.ts'
import { Turns } from '../src/base/turns.ts'
import { addOffsetsToTxnHandler } from '../src/handlers/add-offsets-to-txn.ts'
import { addPartitionsToTxnHandler } from '../src/handlers/add-partitions-to-txn.ts'
import { endTxnHandler } from '../src/handlers/end-txn.ts'
import { initProducerIdHandler } from '../src/handlers/init-producer-id.ts'
import { produceHandler } from '../src/handlers/produce.ts'
import { txnOffsetCommitHandler } from '../src/handlers/txn-offset-commit.ts'
import type { ApiDeclaration, Decoded, Encodable } from '../src/protocol/api-declaration.ts'
import { FrameSplitter } from '../src/protocol/frame-splitter.ts'
import { decodeResponse, encodeRequest } from '../src/protocol/messages.ts'
import { openRequest } from '../src/protocol/requests.ts'
import { readPieces } from './read-pieces.ts'

/**
 * What a server answers to transactional producers, without sockets: requests and answers are
 * encoded and decoded, and nothing happens by chance.
 */
export class HandlerClient implements AsyncDisposable {
  readonly varve: DirectoryVarve
  readonly #handlers: ReadonlyMap<number, ApiHandler>

  private constructor(varve: DirectoryVarve, handlers: ReadonlyMap<number, ApiHandler>) {
    this.varve = varve
    this.#handlers = handlers
  }

  static async open(
    fs: SimulatedFileSystem,
    clock: ManualClock = new ManualClock(),
  ): Promise<HandlerClient> {
    const random = new Random(7)
    const options = { fs, clock, random: () => random.fraction(), cleaning: false } as const
    const varve = await openDataDirectory('/data', options)
    const parts = partsOf(varve)
    if (parts === null) throw new Error('an open directory has parts')
    const context: ServerContext = {
      ...{ varve, parts, clock, clusterId: 'test', logger: silentLogger },
      authorizer: { allows: () => true, allowsAny: () => true },
      options: resolveServerOptions({}),
      state: ServerState.load(fs, '/data'),
      stopping: new AbortController().signal,
    }
    const handlers = transactionHandlers.map((handlerOf) => handlerOf(context))
    return new HandlerClient(varve, new Map(handlers.map((handler) => [handler.api.key, handler])))
  }

  async call<Api extends ApiDeclaration>(
    api: Api,
    version: number,
    request: Encodable<Api['request']>,
  ): Promise<Decoded<Api['response']>> {
    const origin = { correlationId: 1, clientId: 'test' }
    const frame = frameOf(encodeRequest(api, version, origin, request))
    const handler = this.#handlers.get(api.key)
    if (handler === undefined) throw new Error(`${api.name} is not offered`)
    const answer = await handler.answer(callOf(version), openRequest(frame))
    if (answer === null) throw new Error(`${api.name} was not answered`)
    return decodeResponse(api, version, frameOf([readPieces(answer)])).response
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.varve.close()
  }
}

/** What a transactional producer needs. */
const transactionHandlers = [
  initProducerIdHandler,
  addPartitionsToTxnHandler,
  addOffsetsToTxnHandler,
  txnOffsetCommitHandler,
  endTxnHandler,
  produceHandler,
]

/** Cut out as it comes, as a connection does it. */
function frameOf(pieces: readonly Uint8Array[]): Buffer {
  const [frame] = new FrameSplitter(2 ** 30).push(Buffer.concat(pieces))
  if (frame === undefined) throw new Error('there must be a whole frame')
  return frame
}

function callOf(version: number): Call {
  return {
    ...{ version, correlationId: 1, clientId: 'test', throttle: null },
    ...{ may: () => true, mayAny: () => true },
    turns: new Turns(new ManualClock(), () => Promise.resolve()),
    answerMemory: (sizeBytes) => Buffer.alloc(sizeBytes),
    client: {
      ...{ connectionId: 1, listenerName: 'PLAINTEXT', isClosed: false, login: null },
      ...{ principal: anonymousPrincipal, host: '127.0.0.1' },
      advertised: { host: '127.0.0.1', port: 9092 },
      software: { name: 'test', version: '1' },
      onClosed: () => () => undefined,
      holdBack: () => undefined,
      finish: () => undefined,
    },
  }
}
