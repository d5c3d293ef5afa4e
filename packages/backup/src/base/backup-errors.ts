import { VarveError } from '@varve/record'

/** There is no repository here, or none of this kind and version. */
export class RepositoryNotFoundError extends VarveError {
  readonly code = 'VARVE_REPOSITORY_NOT_FOUND'

  constructor(where: string, reason: string) {
    super(`there is no backup repository at ${where}: ${reason}`, {
      hint: 'make one with `varve backup init`',
    })
  }
}

/** A repository is made once. */
export class RepositoryExistsError extends VarveError {
  readonly code = 'VARVE_REPOSITORY_EXISTS'

  constructor(where: string) {
    super(`there is a backup repository at ${where} already`)
  }
}

/** A file of the repository is not what was written: rot, truncation or somebody's hand. */
export class CorruptRepositoryError extends VarveError {
  readonly code = 'VARVE_CORRUPT_REPOSITORY'
  /** The file's key in the repository. */
  readonly key: string
  readonly reason: string

  constructor(key: string, reason: string, options: { readonly cause?: unknown } = {}) {
    super(`${key} in the repository is damaged: ${reason}`, {
      ...options,
      hint: 'run `varve backup verify`; another repository or the source may have it whole',
    })
    this.key = key
    this.reason = reason
  }
}

/** There is no such file in the repository; of an object that a backup lists, it is lost. */
export class MissingObjectError extends VarveError {
  readonly code = 'VARVE_MISSING_OBJECT'
  readonly key: string

  constructor(key: string) {
    super(`${key} is not in the repository`)
    this.key = key
  }
}

/** The storage behind a repository failed. */
export class TargetError extends VarveError {
  readonly code = 'VARVE_BACKUP_TARGET'
  override readonly retriable: boolean

  constructor(doing: string, cause: unknown, retriable = false) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${doing} failed: ${reason}`, { cause })
    this.retriable = retriable
  }
}

/** What is asked for needs a key that was not given, or not the right one. */
export class BackupKeyError extends VarveError {
  readonly code = 'VARVE_BACKUP_KEY'

  constructor(message: string, options: { readonly cause?: unknown; readonly hint?: string } = {}) {
    super(message, options)
  }
}

/** A backup that is named is not in the repository. */
export class BackupNotFoundError extends VarveError {
  readonly code = 'VARVE_BACKUP_NOT_FOUND'

  constructor(what: string, where: string) {
    super(`there is no backup ${what} in ${where}`, { hint: '`varve backup list` shows them' })
  }
}

/** The source keeps changing in ways that allow no consistent view of it from outside. */
export class SnapshotUnstableError extends VarveError {
  readonly code = 'VARVE_SNAPSHOT_UNSTABLE'
  override readonly retriable = true

  constructor(directory: string, reason: string) {
    super(`no consistent view of ${directory} was found: ${reason}`, {
      hint: 'try again, or take the backup in the process that has the directory open',
    })
  }
}

/** The repository shows less than it did: somebody put an older state of it in place. */
export class RepositoryRolledBackError extends VarveError {
  readonly code = 'VARVE_REPOSITORY_ROLLED_BACK'

  constructor(where: string, reason: string) {
    super(`the repository ${where} is not as it was left: ${reason}`, {
      hint: 'find out who changed it; to go on with it as it is, remove the state that is named',
    })
  }
}

/** Objects are being removed while some should be added, or the other way round. */
export class RepositoryBusyError extends VarveError {
  readonly code = 'VARVE_REPOSITORY_BUSY'
  override readonly retriable = true
  /** Keys of the leases that stand in the way. */
  readonly leases: readonly string[]

  constructor(where: string, leases: readonly string[]) {
    super(`the repository ${where} is in use: ${leases.join(', ')}`, {
      hint: 'wait for it; a lease of somebody who is gone ends by itself after 15 minutes',
    })
    this.leases = leases
  }
}

/** Whoever was at work stood still for so long that others count it as gone. */
export class LeaseLostError extends VarveError {
  readonly code = 'VARVE_LEASE_LOST'
  override readonly retriable = true

  constructor(lease: string) {
    super(`the lease ${lease} has expired`, {
      hint: 'run it again: what was stored is made use of',
    })
  }
}
