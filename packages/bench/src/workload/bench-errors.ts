import { VarveError } from '@varve/record'

/** The topic is there already, and the run was not told that it may write to it. */
export class BenchTopicExistsError extends VarveError {
  readonly code = 'VARVE_BENCH_TOPIC_EXISTS'
  readonly topic: string

  constructor(topic: string) {
    const hint =
      'let the run write to it (existing), or give no topic: then one is made and removed'
    super(`the topic ${topic} exists, and a benchmark would add records to it`, { hint })
    this.topic = topic
  }
}

/** A run needs, or has used up, more of a disk than it may have. */
export class BenchDiskFullError extends VarveError {
  readonly code = 'VARVE_BENCH_DISK_FULL'
  readonly directory: string

  constructor(directory: string, what: string, cause?: unknown) {
    const hint = 'ask for less of it, or give another disk (--data)'
    super(`the benchmark has no result: ${what}`, { hint, ...(cause !== undefined && { cause }) })
    this.directory = directory
  }
}

/** What a run did is not what it was to measure, so there are no figures. */
export class BenchFailedError extends VarveError {
  readonly code = 'VARVE_BENCH_FAILED'

  constructor(what: string) {
    super(`the benchmark has no result: ${what}`)
  }
}
