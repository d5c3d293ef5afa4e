import type { Readable, Writable } from 'node:stream'
import { systemClock } from '@varve/log'
import { ClosedPipeError, type CommandIo, type Input, type Output } from './command-io.ts'
import { SecretPrompt } from './user/secret-prompt.ts'

/** This process's own streams and signals, until it is disposed of. */
export interface ProcessIo extends CommandIo, Disposable {}

/** The width that text is laid out for where nobody says how wide it is. */
const defaultColumns = 100

/**
 * The first Ctrl-C, or `kill`, asks the command to end; a second one is the system's again and ends
 * the process at once.
 */
export function openProcessIo(): ProcessIo {
  const controller = new AbortController()
  const interrupt = (): void => {
    controller.abort()
    release()
  }
  const release = (): void => {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const stderr = new StreamOutput(process.stderr, process.stderr)
  let secrets: SecretPrompt | null = null
  return {
    stdin: new StreamInput(process.stdin, process.stdin.isTTY === true, controller.signal),
    stdout: new StreamOutput(process.stdout, process.stdout),
    stderr,
    readSecret(question: string): Promise<string> {
      secrets ??= new SecretPrompt(process.stdin, stderr)
      return secrets.ask(question, controller.signal)
    },
    signal: controller.signal,
    clock: systemClock,
    onHangUp(callback: () => void): () => void {
      process.on('SIGHUP', callback)
      return () => process.off('SIGHUP', callback)
    },
    [Symbol.dispose]: release,
  }
}

/** A readable stream as a command's input. */
export class StreamInput implements Input {
  readonly isTerminal: boolean
  readonly #stream: Readable
  readonly #signal: AbortSignal

  constructor(stream: Readable, isTerminal: boolean, signal: AbortSignal) {
    this.#stream = stream
    this.isTerminal = isTerminal
    this.#signal = signal
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const end = (): void => void this.#stream.destroy()
    this.#signal.addEventListener('abort', end, { once: true })
    try {
      if (!this.#signal.aborted) for await (const chunk of this.#stream) yield chunk
    } catch (error) {
      // A stream that is destroyed while it is read says so with an error.
      if (!this.#signal.aborted) throw error
    } finally {
      this.#signal.removeEventListener('abort', end)
    }
  }
}

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** A writable stream as a command's output. A write resolves when the stream is done with it. */
export class StreamOutput implements Output {
  readonly #stream: Writable
  readonly #terminal: Terminal
  #failure: Error | null = null

  constructor(stream: Writable, terminal: Terminal = {}) {
    this.#stream = stream
    this.#terminal = terminal
    // The failure is told to whoever writes; without a listener it would end the process.
    stream.on('error', (error) => {
      this.#failure ??= error
    })
  }

  get isTerminal(): boolean {
    return this.#terminal.isTTY === true
  }

  get columns(): number {
    return this.#terminal.columns ?? defaultColumns
  }

  write(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(asClosedPipe(this.#failure))
        return
      }
      this.#stream.write(text, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(asClosedPipe(error))
      })
    })
  }
}

const closedCodes: ReadonlySet<unknown> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

function asClosedPipe(error: Error): Error {
  return 'code' in error && closedCodes.has(error.code) ? new ClosedPipeError(error) : error
}
