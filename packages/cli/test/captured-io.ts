import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@varve/log'
import {
  ClosedPipeError,
  type CommandIo,
  InterruptedError,
  type Output,
} from '../src/command-io.ts'
import { main } from '../src/main.ts'

/** An output that remembers. */
export class CapturedOutput implements Output {
  readonly isTerminal: boolean
  readonly columns = 100
  readonly #chunks: Buffer[] = []
  #bytesLeft: number

  constructor(options: { readonly isTerminal?: boolean; readonly closesAfterBytes?: number } = {}) {
    this.isTerminal = options.isTerminal ?? false
    this.#bytesLeft = options.closesAfterBytes ?? Number.POSITIVE_INFINITY
  }

  async write(text: string | Uint8Array): Promise<void> {
    if (this.#bytesLeft <= 0) throw new ClosedPipeError(new Error('EPIPE'))
    const bytes = Buffer.from(text)
    this.#bytesLeft -= bytes.length
    this.#chunks.push(bytes)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.bytes.toString('utf8')
  }

  /** The lines, each a JSON document. */
  get documents(): ReturnType<typeof JSON.parse>[] {
    const lines = this.text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line))
  }
}

export interface CapturedOptions {
  readonly input?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>
  readonly inputIsTerminal?: boolean
  readonly closesAfterBytes?: number
  readonly signal?: AbortSignal
  readonly stderrIsTerminal?: boolean
  readonly onHangUp?: CommandIo['onHangUp']
  /** What is typed where it is not shown, line by line. */
  readonly secrets?: readonly string[]
}

export interface CapturedIo extends CommandIo {
  readonly stdout: CapturedOutput
  readonly stderr: CapturedOutput
}

export function captureIo(options: CapturedOptions = {}): CapturedIo {
  const secrets = [...(options.secrets ?? [])]
  const { input = [], closesAfterBytes, signal = new AbortController().signal } = options
  return {
    stdin: {
      isTerminal: options.inputIsTerminal ?? false,
      async *chunks() {
        for await (const chunk of input) {
          if (signal.aborted) return
          yield Buffer.from(chunk as Uint8Array)
        }
      },
    },
    stdout: new CapturedOutput(closesAfterBytes === undefined ? {} : { closesAfterBytes }),
    stderr: new CapturedOutput({ isTerminal: options.stderrIsTerminal ?? false }),
    signal,
    clock: systemClock,
    readSecret: async () => {
      const secret = secrets.shift()
      if (secret === undefined) throw new InterruptedError()
      return secret
    },
    onHangUp: options.onHangUp ?? (() => () => undefined),
  }
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly stdout: CapturedOutput
}

/** Runs the command in this process: `run('inspect', path)`. */
export async function run(...argv: readonly string[]): Promise<Ran> {
  return runWith({}, ...argv)
}

export async function runWith(options: CapturedOptions, ...argv: readonly string[]): Promise<Ran> {
  const io = captureIo(options)
  const code = await main(argv, io)
  return { code, out: io.stdout.text, err: io.stderr.text, stdout: io.stdout }
}

/**
 * Every file below a directory with the SHA-256 of its content: the same if nothing was touched.
 */
export function hashTree(directory: string): Record<string, string> {
  const hashes: Record<string, string> = {}
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    hashes[path] = entry.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : 'directory'
  }
  return hashes
}
