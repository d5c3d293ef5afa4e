import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import os from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What figures depend on besides the code. */
export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** Type and options of the file system under the data directory. */
  readonly fileSystem: string
  readonly device: string
  /** Commit of the checkout, with `+` when it had changes; null outside of one. */
  readonly commit: string | null
  /** Work that others did on the machine at the start: 1, 5 and 15 minutes. */
  readonly loadAverage: readonly number[]
}

export function describeMachine(dataDirectory: string): Machine {
  const mount = mountOf(realpathSync(dataDirectory))
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    fileSystem: mount === null ? 'unknown' : `${mount.type} (${mount.options})`,
    device: mount?.device ?? 'unknown',
    commit: commitOf(dirname(fileURLToPath(import.meta.url))),
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
  }
}

interface Mount {
  readonly device: string
  readonly type: string
  readonly options: string
}

/** The innermost mount that holds `path`; known on Linux only. */
function mountOf(path: string): Mount | null {
  let table: string
  try {
    table = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return null
  }
  let found: (Mount & { readonly point: string }) | null = null
  for (const line of table.split('\n')) {
    const [device, point, type, options] = line.split(' ')
    if (device === undefined || point === undefined) continue
    const isAbove = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (!isAbove || (found !== null && found.point.length > point.length)) continue
    found = { device, point, type: type ?? '', options: options ?? '' }
  }
  return found
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
