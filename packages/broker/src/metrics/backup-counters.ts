import { type BackupTakenEvent, backupChannels } from '@varve/backup'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Labels } from './repository-series.ts'
import { Subscriptions } from './subscriptions.ts'

const labelNames = ['repository', 'source']

/** Counts the backups that this process takes, from its events. */
export class BackupCounters {
  readonly #registry: Registry
  readonly #subscriptions = new Subscriptions()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()

  constructor(registry: Registry) {
    this.#registry = registry
    this.#counter('taken_total', 'Backups taken, by kind.', [...labelNames, 'kind'])
    this.#counter('failures_total', 'Times that a backup was tried and there is none.')
    this.#counter('read_bytes_total', 'Bytes of sources that were read.')
    this.#counter('stored_bytes_total', 'Bytes of new objects, as they are stored.')
    this.#counter('seconds_total', 'Time that backups took.')
    this.#gauge('last_seconds', 'Time that the last backup took.')
    this.#gauge('last_read_bytes_per_second', 'How fast it read the source.')
    this.#gauge('last_stored_bytes', 'Bytes of new objects that it took, as they are stored.')
    this.#gauge('last_source_bytes', 'Bytes of the segments that it has.')
    this.#gauge('last_gaps', 'Stretches of offsets that are missing from it.')
    this.#gauge('last_failed', '1 where the last one that was tried failed.')
    this.#gauge('recovery_point_timestamp_seconds', 'The repository has the source as of then.')
    this.#subscriptions.add(backupChannels.taken, (event) => this.#taken(event))
    this.#subscriptions.add(backupChannels.failure, ({ repository, source }) => {
      this.#counters.get('varve_backup_failures_total')?.inc({ repository, source })
      this.#set('last_failed', { repository, source }, 1)
    })
    this.#subscriptions.add(backupChannels.followed, ({ repository, source, savedMs }) => {
      this.#set('recovery_point_timestamp_seconds', { repository, source }, savedMs / 1000)
      this.#set('last_failed', { repository, source }, 0)
    })
  }

  /** Counts no more. */
  close(): void {
    this.#subscriptions.end()
  }

  /** A series as it was before, to count on from. */
  restore(name: string, labels: Labels, value: number): void {
    if (value >= 0) this.#counters.get(name)?.inc(labels, value)
    this.#gauges.get(name)?.set(labels, value)
  }

  #taken({ repository, source, kind, takenMs, gaps, figures }: BackupTakenEvent): void {
    const labels = { repository, source }
    const { readBytes, newBytes, totalBytes, durationMs } = figures
    const add = (name: string, value: number): void => {
      this.#counters.get(`varve_backup_${name}`)?.inc(labels, value)
    }
    this.#counters.get('varve_backup_taken_total')?.inc({ ...labels, kind })
    // There, so that a first failure shows as a change.
    add('failures_total', 0)
    add('read_bytes_total', readBytes)
    add('stored_bytes_total', newBytes)
    const seconds = Math.max(0, durationMs) / 1000
    add('seconds_total', seconds)
    this.#set('last_seconds', labels, seconds)
    this.#set('last_read_bytes_per_second', labels, readBytes / Math.max(seconds, 0.001))
    this.#set('last_stored_bytes', labels, newBytes)
    this.#set('last_source_bytes', labels, totalBytes)
    this.#set('last_gaps', labels, gaps)
    this.#set('last_failed', labels, 0)
    this.#set('recovery_point_timestamp_seconds', labels, takenMs / 1000)
  }

  #set(name: string, labels: Labels, value: number): void {
    this.#gauges.get(`varve_backup_${name}`)?.set(labels, value)
  }

  #counter(name: string, help: string, labels: string[] = labelNames): void {
    const full = `varve_backup_${name}`
    const registers = [this.#registry]
    this.#counters.set(full, new Counter({ name: full, help, labelNames: labels, registers }))
  }

  #gauge(name: string, help: string): void {
    const full = `varve_backup_${name}`
    this.#gauges.set(full, new Gauge({ name: full, help, labelNames, registers: [this.#registry] }))
  }
}
