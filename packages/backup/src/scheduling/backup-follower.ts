import { type Clock, systemClock, type Timer } from '@varve/log'
import { InvalidArgumentError, VarveError } from '@varve/record'
import { AuditLog } from '../repository/audit-log.ts'
import { BackupCatalogue, manifestKey } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import type { BackupSource } from '../source/source-snapshot.ts'
import { backupChannels } from '../taking/backup-events.ts'
import { type BackupOptions, type BackupReport, runBackup } from '../taking/backup-run.ts'
import { defaultThreads, encoderPool } from '../taking/encoder-pool.ts'

export interface FollowOptions extends Omit<BackupOptions, 'kind' | 'isIndependent' | 'point'> {
  /** How often it is looked for something new, in ms. @defaultValue 1000 */
  readonly intervalMs?: number
  /**
   * So many of the newest backups that following made are kept, and beyond them the newest of each
   * minute of the last hour and of each hour. @defaultValue 60
   */
  readonly keepLast?: number
  readonly onBackup?: (report: BackupReport) => void
  /** A round that failed and is tried again. What is no VarveError ends following. */
  readonly onError?: (error: VarveError) => void
}

/** How following stands. */
export interface FollowStatus {
  /** Age of the newest state of the source that the repository holds, in ms: what would be lost. */
  readonly recoveryPointAgeMs: number
  readonly backups: number
  /** The last round's error; null when it went well. */
  readonly error: VarveError | null
}

interface Made {
  readonly sequence: number
  readonly backupId: string
  readonly takenMs: number
}

/**
 * Backs up continuously: whenever the source has something new, once an interval at most. Each
 * round is a backup of its own, complete and restorable; old ones thin out.
 */
export class BackupFollower {
  readonly #repository: Repository
  readonly #source: BackupSource
  readonly #options: FollowOptions
  readonly #clock: Clock
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>
  #wake: (() => void) | null = null
  #timer: Timer | null = null
  #made: Made[] = []
  #count = 0
  /** When the source was last known to be as the repository has it. */
  #savedMs: number
  #error: VarveError | null = null

  constructor(repository: Repository, source: BackupSource, options: FollowOptions = {}) {
    const { intervalMs = 1000, keepLast = 60 } = options
    if (!(intervalMs >= 100)) {
      throw new InvalidArgumentError('intervalMs', intervalMs, 'must be at least 100')
    }
    if (!(Number.isSafeInteger(keepLast) && keepLast >= 1)) {
      throw new InvalidArgumentError('keepLast', keepLast, 'must be a positive integer')
    }
    this.#repository = repository
    this.#source = source
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#savedMs = this.#clock.now()
    this.#running = this.#run()
    // Told by `ended`, and not unhandled before somebody asks.
    this.#running.catch(() => undefined)
  }

  get status(): FollowStatus {
    return {
      recoveryPointAgeMs: this.#clock.now() - this.#savedMs,
      backups: this.#count,
      error: this.#error,
    }
  }

  /** Resolves when it was stopped; rejects with what ended it otherwise. */
  get ended(): Promise<void> {
    return this.#running
  }

  /** Finishes the round that goes on. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#timer?.cancel()
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const encoder = this.#options.encoder ?? encoderPool(this.#options.threads ?? defaultThreads())
    let savedPrint: string | null = null
    try {
      while (!this.#stopped.signal.aborted) {
        const startedMs = this.#clock.now()
        try {
          const print = this.#source.fingerprint()
          if (print !== savedPrint) await this.#round(encoder)
          // What came while the round went on is looked for in the next.
          savedPrint = print
          this.#saved(startedMs)
          this.#error = null
        } catch (error) {
          if (!(error instanceof VarveError)) throw error
          this.#error = error
          this.#options.onError?.(error)
        }
        await this.#pause(startedMs)
      }
    } finally {
      if (this.#options.encoder === undefined) await encoder.close()
    }
  }

  #saved(savedMs: number): void {
    this.#savedMs = savedMs
    const repository = this.#repository.target.name
    const source = this.#options.source ?? this.#source.name
    backupChannels.followed.publish({ repository, source, savedMs })
  }

  async #round(encoder: NonNullable<BackupOptions['encoder']>): Promise<void> {
    const report = await runBackup(this.#repository, this.#source, {
      ...this.#options,
      kind: 'follow',
      encoder,
    })
    this.#count++
    const { sequence, backupId, takenMs, kind } = report
    // The very first one is a full one, and stays: differential ones stand on it.
    if (kind === 'follow') this.#made.push({ sequence, backupId, takenMs })
    this.#options.onBackup?.(report)
    await this.#thinOut(report.source)
  }

  /** Manifests only: their objects go when somebody prunes. */
  async #thinOut(source: string): Promise<void> {
    const { keepLast = 60, tags = [] } = this.#options
    const kept = thinned(this.#made, keepLast, this.#clock.now())
    const going = this.#made.filter((made) => !kept.has(made))
    // Now and then, and several at once.
    if (going.length < keepLast / 2 || tags.length > 0) return
    const { target, keys } = this.#repository
    const sourceId = new BackupCatalogue(this.#repository).sourceIdOf(source)
    const audit = new AuditLog(target, keys.naming.idKey)
    const details = going.map(({ backupId }) => backupId).join(' ')
    await audit.add({ atMs: this.#clock.now(), action: 'thin out', details, actor: null })
    for (const { sequence, backupId } of going) {
      await target.remove(manifestKey({ sourceId, sequence, backupId }))
    }
    this.#made = this.#made.filter((made) => kept.has(made))
  }

  #pause(startedMs: number): Promise<void> {
    const { intervalMs = 1000 } = this.#options
    const leftMs = Math.max(0, startedMs + intervalMs - this.#clock.now())
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#timer = this.#clock.setTimer(leftMs, resolve, { keepsAlive: true })
      if (this.#stopped.signal.aborted) resolve()
    })
  }
}

const hourMs = 3_600_000

/** The newest ones, and of those before the last of each minute or, after an hour, of each hour. */
function thinned(made: readonly Made[], keepLast: number, nowMs: number): ReadonlySet<Made> {
  const kept = new Set(made.slice(-keepLast))
  const periods = new Map<string, Made>()
  for (const one of made) {
    const iso = new Date(one.takenMs).toISOString()
    periods.set(nowMs - one.takenMs < hourMs ? iso.slice(0, 16) : iso.slice(0, 13), one)
  }
  for (const one of periods.values()) kept.add(one)
  return kept
}
