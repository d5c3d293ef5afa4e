import type { CommandIo } from './command-io.ts'
import { formatByteRate, formatBytes, formatDuration } from './human.ts'

export interface ProgressOptions {
  /** What is done, as a participle: `reading`. */
  readonly activity: string
  /** Bytes that there are in all; null where nobody knows. */
  readonly totalBytes: number | null
}

/** On a terminal the line is redrawn so often, elsewhere a new line is printed so often. */
const redrawMs = 100
const plainLineMs = 10_000

/**
 * How far long work has come, on stderr: with rate and time left, redrawn in place on a terminal,
 * as a plain line now and then elsewhere. Short work shows nothing at all.
 *
 * Calls cost a comparison of numbers; a failure to print is no failure of the work.
 */
export class Progress {
  readonly #io: CommandIo
  readonly #options: ProgressOptions
  readonly #startedMs: number
  #nextMs: number
  #drawnCharacters = 0

  constructor(io: CommandIo, options: ProgressOptions) {
    this.#io = io
    this.#options = options
    this.#startedMs = io.clock.monotonic()
    this.#nextMs = this.#startedMs + (io.stderr.isTerminal ? 3 * redrawMs : plainLineMs)
  }

  /** `detail`: what else is worth saying, such as records so far. */
  update(doneBytes: number, detail = ''): void {
    const now = this.#io.clock.monotonic()
    if (now < this.#nextMs) return
    const { isTerminal, columns } = this.#io.stderr
    this.#nextMs = now + (isTerminal ? redrawMs : plainLineMs)
    const text = this.#describe(doneBytes, now - this.#startedMs, detail)
    if (isTerminal) {
      const line = text.slice(0, columns - 1)
      this.#print(`\r${line.padEnd(this.#drawnCharacters)}`)
      this.#drawnCharacters = line.length
    } else {
      this.#print(`${text}\n`)
    }
  }

  /** Takes the line away; what comes next is printed as if it had never been. */
  clear(): void {
    if (this.#drawnCharacters > 0) this.#print(`\r${' '.repeat(this.#drawnCharacters)}\r`)
    this.#drawnCharacters = 0
  }

  #describe(doneBytes: number, elapsedMs: number, detail: string): string {
    const { activity, totalBytes } = this.#options
    const parts = [formatBytes(doneBytes), formatByteRate(doneBytes, elapsedMs)]
    if (totalBytes !== null && totalBytes > 0 && doneBytes > 0) {
      const share = Math.min(1, doneBytes / totalBytes)
      const leftMs = (elapsedMs * (1 - share)) / share
      parts[0] += ` of ${formatBytes(totalBytes)} (${Math.floor(share * 100)} %)`
      parts.push(`${formatDuration(leftMs)} left`)
    }
    if (detail !== '') parts.push(detail)
    return `${activity} ${parts.filter((part) => part !== '').join(', ')}`
  }

  #print(text: string): void {
    this.#io.stderr.write(text).catch(() => undefined)
  }
}
