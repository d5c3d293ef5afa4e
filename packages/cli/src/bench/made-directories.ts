import { existsSync, rmdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isCluster } from '@varve/bench'

/**
 * Runs something that makes directories where they are not there; those that are empty afterwards
 * go again, however it ends. Addresses of clusters are none.
 */
export async function removingWhatIsMade<Result>(
  directories: ReadonlyArray<string | null>,
  run: () => Promise<Result>,
): Promise<Result> {
  const missing = directories.flatMap((path) => {
    return path === null || isCluster(path) ? [] : missingFrom(resolve(path))
  })
  try {
    return await run()
  } finally {
    // The innermost first.
    for (const path of missing.sort((one, other) => other.length - one.length)) removeEmpty(path)
  }
}

/** The path and what it lies in, as far as there is no such thing yet. */
function missingFrom(path: string): readonly string[] {
  return existsSync(path) ? [] : [path, ...missingFrom(dirname(path))]
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Something is in it that is to stay, or it was never made.
  }
}
