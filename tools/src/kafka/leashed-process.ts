import { type ChildProcess, spawn } from 'node:child_process'

/** How much of what a long-running process prints is kept, for messages: its end. */
const keptChars = 64 * 1024

/**
 * A process that runs until it is told to end. Its standard input is its leash: programs started
 * here end when that closes, or are ended by the system, so they can't outlive this process.
 */
export class LeashedProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #name: string
  #printed = ''

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#name = name
    const env = { ...process.env, ...environment }
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#keep(`${error.message}\n`)
        resolve()
      })
      this.#child.once('close', () => resolve())
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text))
    // A write to a process that has just died fails here; the end itself is what is reported.
    this.#child.stdin?.on('error', () => {})
  }

  /** Calls back with each line of standard output. */
  onLine(callback: (line: string) => void): void {
    let rest = ''
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) callback(line)
    })
  }

  writeLine(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Lets go of the leash: a program that reads its input ends by itself. */
  endInput(): void {
    this.#child.stdin?.end()
  }

  /** Null as long as it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** The last of what it printed to standard error. */
  get printed(): string {
    return this.#printed
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get ended(): Promise<void> {
    return this.#ended
  }

  /** Resolves when `text` has been printed to standard error; rejects when it ends before that. */
  async waitForPrinted(text: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!this.#printed.includes(text)) {
      if (!this.isRunning) throw new Error(`${this.#name} ended:\n${this.#printed}`)
      if (performance.now() > deadline) {
        await this.kill()
        throw new Error(
          `${this.#name} has not said '${text}' in ${timeoutMs} ms:\n${this.#printed}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Asks it to end (SIGTERM) and waits. It is killed, and this rejects, when it does not. */
  async stop(timeoutMs: number): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs)
    await this.#ended
    clearTimeout(timer)
    if (this.#child.signalCode === 'SIGKILL') {
      throw new Error(`${this.#name} had to be killed after ${timeoutMs} ms:\n${this.#printed}`)
    }
  }

  /** Ends it at once (SIGKILL). Idempotent. */
  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.#ended
  }

  #keep(text: string): void {
    this.#printed = (this.#printed + text).slice(-keptChars)
  }
}
