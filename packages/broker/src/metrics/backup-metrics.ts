import type { Repository } from '@varve/backup'
import { Registry } from 'prom-client'
import { BackupCounters } from './backup-counters.ts'
import { RepositoryGauges } from './repository-gauges.ts'

export interface WatchOptions {
  /**
   * A look lists all objects; it is done again when it is older than this, in ms.
   * @defaultValue 60000
   */
  readonly maxAgeMs?: number
}

/**
 * The backups that this process takes, and the repositories that it is told to watch, for
 * Prometheus. Part of `varve.metrics()`; by itself for programs that only back up.
 *
 * @example
 * ```ts
 * const metrics = new BackupMetrics()
 * metrics.watch(repository)
 * await runBackup(repository, source)
 * console.log(await metrics.text())
 * ```
 */
export class BackupMetrics {
  readonly registry: Registry
  readonly #counters: BackupCounters
  readonly #repositories: RepositoryGauges

  /** @param registry where they go; one of their own unless one is given */
  constructor(registry: Registry = new Registry()) {
    this.registry = registry
    this.#counters = new BackupCounters(registry)
    this.#repositories = new RepositoryGauges(registry)
  }

  /** Shows how a repository stands, until {@link unwatch}; it must be open so long. */
  watch(repository: Repository, { maxAgeMs = 60_000 }: WatchOptions = {}): void {
    this.#repositories.watch(repository, maxAgeMs)
  }

  /** Looks at it no more. What was found stays. */
  unwatch(repository: Repository): void {
    this.#repositories.unwatch(repository)
  }

  /** Looks at a repository once, now, and shows what it found. Never rejects. */
  look(repository: Repository): Promise<void> {
    return this.#repositories.look(repository)
  }

  /** Of {@link text}, for the HTTP header. */
  get contentType(): string {
    return this.registry.contentType
  }

  /** Everything in the registry, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  /**
   * Goes on from an earlier {@link text}: counters count on, and what is not looked at again stays
   * as it was. Lines that are none of these metrics' are passed over.
   */
  restore(text: string): void {
    const seen = new Set<string>()
    for (const line of text.split('\n')) {
      const sample = sampleOf(line)
      if (sample === null) continue
      const { name, labels, value } = sample
      const series = `${name} ${JSON.stringify(labels)}`
      if (seen.has(series) || !hasLabels(this.registry.getSingleMetric(name), labels)) continue
      seen.add(series)
      this.#counters.restore(name, labels, value)
      this.#repositories.restore(name, labels, value)
    }
  }

  /** Counts no more. What was counted stays in the registry. */
  close(): void {
    this.#counters.close()
  }
}

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric takes its own labels only, and these are somebody's text. */
function hasLabels(metric: object | undefined, labels: object): boolean {
  const names = (metric as { readonly labelNames?: readonly string[] } | undefined)?.labelNames
  const given = Object.keys(labels)
  return names?.length === given.length && given.every((name) => names.includes(name))
}

const labelPattern = /(repository|source|kind)="((?:[^"\\]|\\.)*)"/g

/** Null for what is none of ours: the file may be anybody's. */
function sampleOf(line: string): Sample | null {
  const [, name = '', inner = '', number = ''] =
    /^(varve_backup_[a-z_]+)\{(.{1,8192})\} (\S{1,32})$/.exec(line) ?? []
  const value = Number(number)
  if (name === '' || number === '' || !Number.isFinite(value)) return null
  const labels: Record<string, string> = {}
  for (const [, label = '', text = ''] of inner.matchAll(labelPattern)) {
    labels[label] = text.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels['repository'] === undefined ? null : { name, labels, value }
}
