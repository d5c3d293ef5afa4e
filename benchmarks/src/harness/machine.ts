import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Machine as Conditions, describeMachine as describeConditions } from '@varve/bench'

/** What figures depend on, and the code that was measured. */
export interface Machine extends Conditions {
  /** Commit of the checkout, with `+` when it had changes; null outside of one. */
  readonly commit: string | null
}

export function describeMachine(dataDirectory: string): Machine {
  const conditions = describeConditions(realpathSync(dataDirectory))
  return { ...conditions, commit: commitOf(dirname(fileURLToPath(import.meta.url))) }
}

function commitOf(directory: string): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD').trim()
    const hasChanges = git('status', '--porcelain', '--untracked-files=no').trim() !== ''
    return hasChanges ? `${commit}+` : commit
  } catch {
    return null
  }
}
