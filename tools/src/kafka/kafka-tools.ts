import { javaArguments } from './java-command.ts'
import type { KafkaRelease } from './kafka-release.ts'
import { LeashedProcess } from './leashed-process.ts'

/** What a command line tool has done. */
export interface ToolResult {
  readonly status: number
  /** On its standard output and its standard error. */
  readonly printed: string
}

const toolTimeoutMs = 60_000

/** Kafka's own command line tools, one after the other in one process. */
export class KafkaTools {
  readonly #child: LeashedProcess
  readonly #waiting: ((line: string) => void)[] = []

  constructor(release: KafkaRelease) {
    const args = javaArguments(release, 'ToolDriver', [], { logLevel: 'off' })
    this.#child = new LeashedProcess("Kafka's tools", release.java, args)
    this.#child.onLine((line) => this.#waiting.shift()?.(line))
  }

  /** Runs a tool to its end. Rejects when it does not end. */
  async run(main: string, args: readonly string[]): Promise<ToolResult> {
    this.#child.writeLine(JSON.stringify({ main, args }))
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve))
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), toolTimeoutMs)
    })
    const line = await Promise.race([answer, late, this.#child.ended.then(() => null)])
    clearTimeout(timer)
    if (line !== null) return JSON.parse(line) as ToolResult
    await this.#child.kill()
    throw new Error(`${main} ${args.join(' ')} does not end:\n${this.#child.printed}`)
  }

  close(): Promise<void> {
    return this.#child.kill()
  }
}
