import { describeRepository, type Repository, type RepositoryStanding } from '@varve/backup'
import { systemClock } from '@varve/log'
import type { Registry } from 'prom-client'
import { type Labels, RepositorySeries } from './repository-series.ts'

const ofRepository = ['repository']
const ofSource = ['repository', 'source']

/** Moments are in seconds since the epoch: read later, they still say how old they are. */
const families: ReadonlyArray<readonly [name: string, help: string, labelNames: string[]]> = [
  ['repository_up', '1 where the repository could be looked at.', ofRepository],
  ['repository_bytes', 'Bytes of its objects, as they are stored.', ofRepository],
  ['repository_objects', 'Its objects.', ofRepository],
  ['repository_backups', 'Backups of a source.', ofSource],
  ['repository_damaged_backups', 'Backups that the last look found damaged.', ofSource],
  ['newest_timestamp_seconds', 'When the newest backup was begun.', ofSource],
  ['newest_verified_timestamp_seconds', 'The same of the newest verified one.', ofSource],
  ['drill_timestamp_seconds', 'When the last drill ended.', ofRepository],
  ['drill_recovery_seconds', 'How long recovery took in it.', ofRepository],
  ['drill_bytes_per_second', 'How fast that was.', ofRepository],
  ['drill_findings', 'What was wrong with what it restored.', ofRepository],
]

interface Watched {
  readonly repository: Repository
  readonly maxAgeMs: number
  lookedMs: number
  look: Promise<void>
}

/** How repositories stand, looked at when metrics are read and the last look is too old. */
export class RepositoryGauges {
  readonly #series: RepositorySeries
  readonly #watched = new Map<Repository, Watched>()

  constructor(registry: Registry) {
    this.#series = new RepositorySeries(registry)
    const collect = (): Promise<void> => this.#collect()
    for (const [name, help, labelNames] of families) {
      this.#series.add(`varve_backup_${name}`, help, labelNames, collect)
    }
  }

  watch(repository: Repository, maxAgeMs: number): void {
    this.#watched.set(repository, {
      ...{ repository, maxAgeMs, lookedMs: Number.NEGATIVE_INFINITY },
      look: Promise.resolve(),
    })
  }

  /** Looks no more. What was found stays. */
  unwatch(repository: Repository): void {
    this.#watched.delete(repository)
  }

  /** A series as it was before: it stays until its repository is looked at. */
  restore(name: string, labels: Labels, value: number): void {
    if (this.#series.has(name)) this.#series.set(name, labels, value)
  }

  /** Looks now. Never rejects: what cannot be looked at is not up, and stays as it was known. */
  async look(repository: Repository): Promise<void> {
    const { name } = repository.target
    try {
      this.#show(await describeRepository(repository))
    } catch {
      this.#series.set('varve_backup_repository_up', { repository: name }, 0)
    }
  }

  async #collect(): Promise<void> {
    const nowMs = systemClock.monotonic()
    const looks = [...this.#watched.values()].map((watched) => {
      if (nowMs - watched.lookedMs < watched.maxAgeMs) return watched.look
      watched.lookedMs = nowMs
      watched.look = this.look(watched.repository)
      return watched.look
    })
    await Promise.all(looks)
  }

  #show({ repository, objects, storedBytes, sources, lastDrill }: RepositoryStanding): void {
    this.#series.clear(repository)
    const set = (name: string, value: number, labels: Labels = {}): void => {
      this.#series.set(`varve_backup_${name}`, { repository, ...labels }, value)
    }
    set('repository_up', 1)
    set('repository_bytes', storedBytes)
    set('repository_objects', objects)
    for (const { source, sourceId, backups, damaged, newestMs, newestVerifiedMs } of sources) {
      const labels = { source: source ?? sourceId }
      set('repository_backups', backups, labels)
      set('repository_damaged_backups', damaged, labels)
      set('newest_timestamp_seconds', newestMs / 1000, labels)
      if (newestVerifiedMs === null) continue
      set('newest_verified_timestamp_seconds', newestVerifiedMs / 1000, labels)
    }
    if (lastDrill === null) return
    set('drill_timestamp_seconds', lastDrill.atMs / 1000)
    set('drill_recovery_seconds', lastDrill.recoveryMs / 1000)
    set('drill_bytes_per_second', lastDrill.bytesPerSecond)
    set('drill_findings', lastDrill.findings)
  }
}
