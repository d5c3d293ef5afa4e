import { type Clock, type FileSystem, nodeFileSystem, systemClock, type Timer } from '@varve/log'
import { InvalidArgumentError, VarveError } from '@varve/record'
import { BackupNotFoundError } from '../base/backup-errors.ts'
import { BackupCatalogue, newestOf, type ReadManifest } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import {
  type RestoreOptions,
  type RestoreReport,
  type RestoreScene,
  restoreBackup,
} from '../restoring/restore-run.ts'
import { finishSwap, restorePlaceOf } from '../restoring/staged-swap.ts'
import {
  isVacant,
  readStandbyHold,
  refuseOthersAside,
  removeFormerStandby,
  writeStandbyHold,
} from './standby-hold.ts'

/** `signal` ends a round that goes on, and the standby with it; what was fetched is made use of. */
export interface StandbyOptions
  extends Omit<RestoreOptions, 'isInPlace' | 'isDryRun' | 'holdsRetention' | 'point'> {
  /** Of which source; null: of whichever has the newest backup. @defaultValue null */
  readonly source?: string | null
  /** How often it is looked for a newer backup, in ms. @defaultValue 1000 */
  readonly intervalMs?: number
  readonly onRestored?: (report: RestoreReport) => void
  /** A round that failed and is tried again. What is no VarveError ends the standby. */
  readonly onError?: (error: VarveError) => void
}

/** How a standby stands. */
export interface StandbyStatus {
  /** What the directory holds; null before the first round. */
  readonly backupId: string | null
  /** Age of that state of the source, in ms; null before the first round. */
  readonly ageMs: number | null
  /** The last round's error; null when it went well. */
  readonly error: VarveError | null
}

/**
 * Keeps a data directory like the newest backup: whenever there is a newer one, what changed is
 * fetched, and the new state takes the place of the old in one step. The directory can be opened at
 * any time, as what the source was a moment ago; while it is open it is left alone.
 *
 * Only a directory that a standby of the same repository made is replaced, and only until its
 * retention is released: from then on it is somebody's own.
 */
export class Standby {
  readonly #repository: Repository
  readonly #options: StandbyOptions
  readonly #clock: Clock
  readonly #fs: FileSystem
  readonly #repositoryId: string
  readonly #running: Promise<void>
  #isStopped = false
  #wake: (() => void) | null = null
  #timer: Timer | null = null
  #held: { readonly backupId: string; readonly takenMs: number } | null = null
  #error: VarveError | null = null

  constructor(repository: Repository, options: StandbyOptions) {
    const { intervalMs = 1000 } = options
    if (!(intervalMs >= 100)) {
      throw new InvalidArgumentError('intervalMs', intervalMs, 'must be at least 100')
    }
    this.#repository = repository
    this.#repositoryId = repository.file.repositoryId.toString('hex')
    this.#clock = options.clock ?? systemClock
    this.#fs = options.fs ?? nodeFileSystem
    this.#options = { ...options, to: restorePlaceOf(this.#fs, options.to) }
    this.#running = this.#run()
    // Told by `ended`, and not unhandled before somebody asks.
    this.#running.catch(() => undefined)
  }

  get status(): StandbyStatus {
    const held = this.#held
    return {
      backupId: held?.backupId ?? null,
      ageMs: held === null ? null : this.#clock.now() - held.takenMs,
      error: this.#error,
    }
  }

  /** Resolves when it was stopped; rejects with what ended it otherwise. */
  get ended(): Promise<void> {
    return this.#running
  }

  /** Finishes the round that goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#wake?.()
    await this.#running
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted === true
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && !this.#isAborted) {
      try {
        await this.#round()
        this.#error = null
      } catch (error) {
        if (this.#isAborted) return
        if (!(error instanceof VarveError)) throw error
        this.#error = error
        this.#options.onError?.(error)
      }
      await this.#pause()
    }
  }

  async #round(): Promise<void> {
    const { source = null, to } = this.#options
    const catalogue = new BackupCatalogue(this.#repository)
    const sourceId = source === null ? null : catalogue.sourceIdOf(source)
    const names = await catalogue.list(sourceId)
    const newest = newestOf(names)
    if (newest === null) throw new BackupNotFoundError('latest', this.#repository.target.name)
    if (newest.backupId === this.#held?.backupId) return
    await finishSwap(this.#fs, to)
    const standing = readStandbyHold(this.#fs, to, this.#repositoryId)
    if (standing === null) refuseOthersAside(this.#fs, to, this.#repositoryId)
    else await removeFormerStandby(this.#fs, to, this.#repositoryId)
    const backup = await catalogue.read(newest)
    if (standing !== newest.backupId) await this.#restore(backup)
    this.#held = { backupId: newest.backupId, takenMs: backup.manifest.takenMs }
  }

  async #restore(backup: ReadManifest): Promise<void> {
    const { hooks, to } = this.#options
    const adjust = async (scene: RestoreScene): Promise<readonly string[]> => {
      await writeStandbyHold(scene, backup.manifest.backupId, this.#repositoryId)
      return (await hooks?.adjust?.(scene)) ?? []
    }
    const isReplaced = !isVacant(this.#fs, to)
    const report = await restoreBackup(this.#repository, backup, {
      ...this.#options,
      isInPlace: true,
      hooks: { ...hooks, adjust },
    })
    // What it was before is in the repository.
    if (isReplaced) await removeFormerStandby(this.#fs, to, this.#repositoryId)
    this.#options.onRestored?.(report)
  }

  #pause(): Promise<void> {
    const { intervalMs = 1000 } = this.#options
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#timer = this.#clock.setTimer(intervalMs, resolve, { keepsAlive: true })
      if (this.#isStopped) resolve()
    })
  }
}
