import type { CommandIo } from '../command-io.ts'
import { type BackupJob, runJobs } from './jobs.ts'
import { withMetricsFile } from './metrics-file.ts'

export interface BackupRunOptions extends Omit<BackupJob, 'repository' | 'pruning'> {
  /** One or more; each gets a backup of its own. */
  readonly repositories: readonly string[]
  /** Prometheus text, for node_exporter. */
  readonly metricsFile?: string | undefined
  readonly json: boolean
}

/** Takes a backup of a data directory, which another process may have open. */
export function backUpData(options: BackupRunOptions, io: CommandIo): Promise<number> {
  const { repositories, json } = options
  const jobs = repositories.map((repository) => ({ ...options, repository }))
  return withMetricsFile(options.metricsFile, (metrics) => runJobs(jobs, { json, metrics }, io))
}
