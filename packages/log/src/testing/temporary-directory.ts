import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory on the real file system, under the system's own for temporary files. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string
  /** Removes it with everything in it. Idempotent; done at the latest when the process ends. */
  remove(): void
}

/** Those that are not removed yet. One listener for all: Node warns of more than ten. */
const standing = new Set<string>()

/** `using directory = makeTemporaryDirectory()`, or call `remove` in the test's `afterAll`. */
export function makeTemporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'varve-'))
  if (standing.size === 0) process.on('exit', removeAll)
  standing.add(path)
  const remove = (): void => {
    standing.delete(path)
    if (standing.size === 0) process.off('exit', removeAll)
    rmSync(path, { recursive: true, force: true })
  }
  return { path, remove, [Symbol.dispose]: remove }
}

function removeAll(): void {
  for (const path of standing) rmSync(path, { recursive: true, force: true })
}
