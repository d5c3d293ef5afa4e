import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { repositoryRoot, type WriterArguments } from './demo-settings.ts'
import type { WriterMessage } from './writer-messages.ts'

/** The writing child process, from its start to its death, natural or not. */
export class WriterProcess {
  readonly #child: ChildProcessByStdio<null, Readable, null>

  constructor({ data, compressionType }: WriterArguments) {
    const entry = join(repositoryRoot, 'tools', 'dist', 'demo-writer.js')
    this.#child = spawn(process.execPath, [entry, data, compressionType], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  /** Ends the process as nothing else does: it cannot catch this, write, or tidy up. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** What it tells, until the pipe is empty: what it told before it died comes too. */
  async *messages(): AsyncGenerator<WriterMessage, void, undefined> {
    for await (const line of createInterface({ input: this.#child.stdout })) {
      const message = parse(line)
      if (message !== null) yield message
    }
  }

  /** Resolves when it has ended; rejects when it ended by itself with an error. */
  ended(): Promise<void> {
    return new Promise((resolve, reject) => {
      const judge = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (code === 0 || signal === 'SIGKILL') resolve()
        else reject(new Error(`the writer ended with ${signal ?? `exit code ${code}`}`))
      }
      const { exitCode, signalCode } = this.#child
      if (exitCode !== null || signalCode !== null) judge(exitCode, signalCode)
      else this.#child.once('exit', judge)
    })
  }
}

/** Null for a line that was cut short by the death of its writer. */
function parse(line: string): WriterMessage | null {
  try {
    return JSON.parse(line) as WriterMessage
  } catch {
    return null
  }
}
