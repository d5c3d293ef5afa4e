import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './figure.ts'

/** One subject, with the figures that belong together in one table. */
export interface Benchmark {
  /** What the command line calls it. */
  readonly name: string
  /** One sentence: what is measured, and against what. */
  readonly summary: string
  /** How often it is measured when nothing else is asked for. Default: as often as the others. */
  readonly repeat?: number
  run(context: BenchmarkContext): Promise<readonly Figure[]>
}

export type Scale = 'small' | 'full'

export interface BenchmarkOptions {
  /** Tiny sizes, to see that everything works; the figures mean nothing. */
  readonly isSmoke: boolean
  /** How far benchmarks of growth go: `full` takes tens of GiB and many minutes. */
  readonly scale: Scale
  /** How often everything is measured, after one round that is not counted. */
  readonly repeat: number
  /**
   * Of benchmarks whose figures take minutes each: which ones, by parts of their names.
   * @defaultValue all
   */
  readonly only?: readonly string[] | null
  /** Where data is written; it decides which disk is measured. */
  readonly dataDirectory: string
  /** Told what is being done now. */
  readonly onProgress: (text: string) => void
}

/** What a benchmark is given to run with. */
export class BenchmarkContext {
  readonly isSmoke: boolean
  readonly repeat: number
  readonly #options: BenchmarkOptions
  #directories = 0

  constructor(options: BenchmarkOptions) {
    this.#options = options
    this.isSmoke = options.isSmoke
    this.repeat = options.repeat
  }

  /** The size for a full run, or the one for a smoke run. */
  size(full: number, smoke: number): number {
    return this.isSmoke ? smoke : full
  }

  /** Sizes of something that grows, from small to large. */
  sizes(given: Readonly<Record<Scale | 'smoke', readonly number[]>>): readonly number[] {
    return given[this.isSmoke ? 'smoke' : this.#options.scale]
  }

  /** Whether the figure is to be measured, in benchmarks that let them be chosen. */
  isWanted(name: string): boolean {
    return (this.#options.only ?? ['']).some((part) => name.includes(part))
  }

  progress(text: string): void {
    this.#options.onProgress(text)
  }

  /** Calls back with the path of a directory that does not exist yet, and removes it afterwards. */
  async withDirectory<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
    this.#directories += 1
    mkdirSync(this.#options.dataDirectory, { recursive: true })
    const path = join(this.#options.dataDirectory, `run-${process.pid}-${this.#directories}`)
    try {
      return await use(path)
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  }
}
