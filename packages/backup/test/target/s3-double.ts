import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { S3Target, type S3TargetOptions } from '../../src/target/s3-target.ts'

/** What a request is for. */
export type Operation =
  | 'abort'
  | 'begin'
  | 'complete'
  | 'delete'
  | 'delete-many'
  | 'get'
  | 'head'
  | 'list'
  | 'list-parts'
  | 'list-uploads'
  | 'part'
  | 'put'

export interface S3Request {
  readonly operation: Operation
  /** Counted from 0, of this operation. */
  readonly index: number
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface S3Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** What is done instead of answering a request properly, or after it was carried out. */
export type Fault =
  /** The connection is reset; the request was carried out or not. */
  | { readonly kind: 'reset'; readonly isDone: boolean }
  | { readonly kind: 'hang' }
  /** So many bytes of the body, and then a reset. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The answer is another one. */
  | { readonly kind: 'answer'; readonly isDone: boolean; readonly answer: S3Answer }
  /** What a proper answer would be is changed. */
  | { readonly kind: 'change'; readonly change: (answer: S3Answer) => S3Answer }
  /** Other bytes than were sent are stored, under the ETag of those, or of the ones sent. */
  | { readonly kind: 'store'; readonly bytes: Buffer | null; readonly liesInEtag?: boolean }

interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  readonly modifiedMs: number
}

interface Upload {
  readonly id: string
  readonly key: string
  readonly parts: Map<number, Buffer>
}

/** A server that speaks S3 and can be made to speak it badly. */
export class S3Double {
  readonly objects: Map<string, StoredObject> = new Map()
  readonly uploads: Map<string, Upload> = new Map()
  readonly requests: S3Request[] = []
  /** `refused`: 501. `ignored`: written as if there were no condition. */
  conditions: 'kept' | 'refused' | 'ignored' = 'kept'
  knowsBatchDelete = true
  etagsAreMd5 = true
  pageKeys = 50
  fault: (request: S3Request) => Fault | null = () => null
  #nowMs = 1_700_000_000_000
  readonly #server: Server
  readonly #counts = new Map<Operation, number>()

  private constructor() {
    this.#server = createServer((request, response) => {
      // A client that goes away in between is what some tests are about.
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  /** Listens until the test ends. */
  static async start(): Promise<S3Double> {
    const double = new S3Double()
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      double.#server.closeAllConnections()
      double.#server.close()
    })
    return double
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo
    return `s3://bucket/repo?endpoint=http://127.0.0.1:${port}`
  }

  /** A target on it that does not wait long between attempts. */
  target(options: S3TargetOptions = {}, address = this.address): Promise<S3Target> {
    const credentials = { accessKeyId: 'known', secretAccessKey: 'never-to-be-seen' }
    return S3Target.open(address, { credentials, retryDelayMs: 1, ...options })
  }

  count(operation: Operation): number {
    return this.#counts.get(operation) ?? 0
  }

  bytesOf(key: string): Buffer | undefined {
    return this.objects.get(`repo/${key}`)?.bytes
  }

  store(key: string, bytes: Buffer, etag: string = md5(bytes)): void {
    this.#nowMs += 1000
    this.objects.set(key, { bytes, etag, modifiedMs: this.#nowMs })
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await this.#read(incoming)
    this.requests.push(request)
    const fault = this.fault(request)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset' && !fault.isDone) return reset(incoming)
    if (fault?.kind === 'answer' && !fault.isDone) return answer(response, fault.answer)
    const proper = this.#carryOut(request, fault?.kind === 'store' ? fault : null)
    if (fault?.kind === 'reset') return reset(incoming)
    if (fault?.kind === 'answer') return answer(response, fault.answer)
    if (fault?.kind === 'change') return answer(response, fault.change(proper))
    if (fault?.kind !== 'cut') return answer(response, proper)
    const body = Buffer.from(proper.body ?? '')
    response.writeHead(proper.status, { ...proper.headers, 'content-length': body.length })
    response.write(body.subarray(0, fault.bytes), () => reset(incoming))
  }

  async #read(incoming: IncomingMessage): Promise<S3Request> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const url = new URL(incoming.url ?? '', 'http://127.0.0.1')
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, '')
    const operation = operationOf(incoming.method ?? '', url.searchParams, key)
    const index = this.count(operation)
    this.#counts.set(operation, index + 1)
    const { searchParams: query } = url
    return { operation, index, key, query, headers: incoming.headers, body: Buffer.concat(chunks) }
  }

  #carryOut(request: S3Request, store: Extract<Fault, { kind: 'store' }> | null): S3Answer {
    const { operation, key, query, body } = request
    const upload = this.uploads.get(query.get('uploadId') ?? '')
    switch (operation) {
      case 'put':
        return this.#put(request, store)
      case 'get':
      case 'head':
        return this.#get(key, operation === 'head')
      case 'delete':
        this.objects.delete(key)
        return { status: 204 }
      case 'delete-many':
        return this.#deleteMany(body.toString())
      case 'list':
        return this.#list(query)
      case 'begin':
        return this.#begin(key)
      case 'list-uploads':
        return xml('ListMultipartUploadsResult', this.#listUploads(query.get('prefix') ?? ''))
      case 'abort':
        this.uploads.delete(query.get('uploadId') ?? '')
        return { status: 204 }
    }
    if (upload === undefined) return failure(404, 'NoSuchUpload')
    if (operation === 'list-parts') return xml('ListPartsResult', listParts(upload))
    if (operation === 'complete') return this.#complete(upload, request)
    upload.parts.set(Number(query.get('partNumber')), body)
    return { status: 200, headers: { etag: `"${md5(body)}"` } }
  }

  #refusal(key: string, headers: S3Request['headers']): S3Answer | null {
    if (headers['if-none-match'] === undefined || this.conditions === 'ignored') return null
    if (this.conditions === 'refused') return failure(501, 'NotImplemented')
    return this.objects.has(key) ? failure(412, 'PreconditionFailed') : null
  }

  #put(
    { key, headers, body }: S3Request,
    store: Extract<Fault, { kind: 'store' }> | null,
  ): S3Answer {
    const refusal = this.#refusal(key, headers)
    if (refusal !== null) return refusal
    if (headers['content-md5'] !== md5(body, 'base64')) return failure(400, 'BadDigest')
    const etag = this.etagsAreMd5 ? md5(body) : md5(Buffer.from(`other ${md5(body)}`))
    const isHonest = store?.liesInEtag !== true && store?.bytes != null
    if (store === null) this.store(key, body, etag)
    else if (store.bytes !== null) this.store(key, store.bytes, isHonest ? undefined : etag)
    return { status: 200, headers: { etag: `"${etag}"` } }
  }

  #get(key: string, isHead: boolean): S3Answer {
    const object = this.objects.get(key)
    if (object === undefined) return isHead ? { status: 404 } : failure(404, 'NoSuchKey')
    const { bytes, etag, modifiedMs } = object
    const headers = {
      etag: `"${etag}"`,
      'content-length': String(bytes.length),
      'last-modified': new Date(modifiedMs).toUTCString(),
    }
    return { status: 200, headers, ...(isHead ? {} : { body: bytes }) }
  }

  #deleteMany(body: string): S3Answer {
    if (!this.knowsBatchDelete) return failure(400, 'InvalidRequest')
    const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key)
    for (const key of keys) this.objects.delete(key)
    return xml('DeleteResult', keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join(''))
  }

  #list(query: URLSearchParams): S3Answer {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
    const page = keys.sort().slice(0, this.pageKeys)
    const isTruncated = page.length < keys.length
    const token = `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
    const contents = page.map((key) => {
      const object = this.objects.get(key)
      const date = new Date(object?.modifiedMs ?? 0).toISOString()
      const size = object?.bytes.length
      return `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>${date}</LastModified></Contents>`
    })
    const end = `<IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? token : ''}`
    return xml('ListBucketResult', contents.join('') + end)
  }

  #begin(key: string): S3Answer {
    const id = `upload-${this.uploads.size + 1}`
    this.uploads.set(id, { id, key, parts: new Map() })
    return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`)
  }

  #listUploads(prefix: string): string {
    return [...this.uploads.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ id, key }) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`)
      .join('')
  }

  #complete({ id, key, parts }: Upload, { headers }: S3Request): S3Answer {
    const refusal = this.#refusal(key, headers)
    if (refusal !== null) return refusal
    const sorted = [...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    const digests = sorted.map((bytes) => createHash('md5').update(bytes).digest())
    const etag = `${md5(Buffer.concat(digests))}-${sorted.length}`
    this.store(key, Buffer.concat(sorted), etag)
    this.uploads.delete(id)
    return xml('CompleteMultipartUploadResult', `<ETag>"${etag}"</ETag>`)
  }
}

function operationOf(method: string, query: URLSearchParams, key: string): Operation {
  const hasUpload = query.has('uploadId')
  if (method === 'PUT') return hasUpload ? 'part' : 'put'
  if (method === 'HEAD') return 'head'
  if (method === 'DELETE') return hasUpload ? 'abort' : 'delete'
  if (method === 'POST') {
    return query.has('delete') ? 'delete-many' : query.has('uploads') ? 'begin' : 'complete'
  }
  if (query.has('uploads')) return 'list-uploads'
  return hasUpload ? 'list-parts' : key === '' ? 'list' : 'get'
}

function listParts({ parts }: Upload): string {
  return [...parts]
    .sort(([a], [b]) => a - b)
    .map(([number, bytes]) => {
      const etag = `<ETag>"${md5(bytes)}"</ETag><Size>${bytes.length}</Size>`
      return `<Part><PartNumber>${number}</PartNumber>${etag}</Part>`
    })
    .join('')
}

export function failure(status: number, code: string): S3Answer {
  const body = `<Error><Code>${code}</Code><Message>it is said that ${code}</Message></Error>`
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

/** Throttling, as S3 says it. */
export const slowDown: S3Answer = failure(503, 'SlowDown')

export function xml(element: string, content: string): S3Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><${element}>${content}</${element}>`
  return { status: 200, headers: { 'content-type': 'application/xml' }, body }
}

export function md5(bytes: Buffer, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHash('md5').update(bytes).digest(encoding)
}

function answer(response: ServerResponse, { status, headers, body }: S3Answer): void {
  response.writeHead(status, headers)
  response.end(body)
}

function reset(incoming: IncomingMessage): void {
  incoming.socket.resetAndDestroy()
}
