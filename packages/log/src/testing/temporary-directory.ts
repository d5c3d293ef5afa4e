import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory on the real file system, under the system's own for temporary files. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string
  /** Removes it with everything in it. Idempotent; done at the latest when the process ends. */
  remove(): void
}

/** `using directory = makeTemporaryDirectory()`, or call `remove` in the test's `afterAll`. */
export function makeTemporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'varve-'))
  const remove = (): void => {
    process.off('exit', remove)
    rmSync(path, { recursive: true, force: true })
  }
  process.on('exit', remove)
  return { path, remove, [Symbol.dispose]: remove }
}
