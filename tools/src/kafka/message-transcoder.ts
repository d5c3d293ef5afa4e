import { javaArguments } from './java-command.ts'
import type { KafkaRelease } from './kafka-release.ts'
import { LeashedProcess } from './leashed-process.ts'

/** A message of the wire's protocol, in the JSON that Kafka's own tools print it in. */
export interface TranscoderMessage {
  readonly key: number
  readonly kind: 'request' | 'response'
  readonly version: number
  readonly message: unknown
}

/** What a release of Kafka makes of a message. */
export interface TranscodedMessage {
  /** Without a header. */
  readonly bytes: Buffer
  /** The versions of the headers that stand in front of requests and responses of this version. */
  readonly requestHeader: number
  readonly responseHeader: number
}

export interface KafkaApiVersions {
  readonly name: string
  readonly first: number
  readonly last: number
}

export interface KafkaErrorEntry {
  readonly name: string
  readonly code: number
  readonly retriable: boolean
}

/** Kafka's own encoding of its messages, in a process that lives as long as this. */
export class MessageTranscoder {
  readonly #child: LeashedProcess
  /** Lines are answered in their order. */
  readonly #waiting: ((line: string | null) => void)[] = []

  constructor(release: KafkaRelease) {
    const args = javaArguments(release, 'MessageTranscoder', [])
    this.#child = new LeashedProcess('the transcoder', release.java, args)
    this.#child.onLine((line) => this.#waiting.shift()?.(line))
    void this.#child.ended.then(() => {
      for (const resolve of this.#waiting.splice(0)) resolve(null)
    })
  }

  async encode(message: TranscoderMessage): Promise<TranscodedMessage> {
    const { bytes, ...headers } = (await this.#ask(message)) as {
      readonly bytes: string
      readonly requestHeader: number
      readonly responseHeader: number
    }
    return { bytes: Buffer.from(bytes, 'base64'), ...headers }
  }

  /** Of every API that the release knows, by its key. */
  async versions(): Promise<Readonly<Record<string, KafkaApiVersions>>> {
    return (await this.#ask({ versions: true })) as Readonly<Record<string, KafkaApiVersions>>
  }

  async errors(): Promise<readonly KafkaErrorEntry[]> {
    const { errors } = (await this.#ask({ errors: true })) as { errors: KafkaErrorEntry[] }
    return errors
  }

  close(): Promise<void> {
    return this.#child.kill()
  }

  async #ask(question: unknown): Promise<unknown> {
    const line = await new Promise<string | null>((resolve) => {
      this.#waiting.push(resolve)
      this.#child.writeLine(JSON.stringify(question))
    })
    if (line === null) throw new Error(`the transcoder has ended:\n${this.#child.printed}`)
    const answer = JSON.parse(line) as { readonly error?: string }
    if (answer.error !== undefined) throw new Error(`Kafka refuses it: ${answer.error}`)
    return answer
  }
}
