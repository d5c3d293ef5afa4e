import os from 'node:os'
import { type FileSystem, nodeFileSystem } from '@varve/log'

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
  /** Work that others did on the machine at the start: 1, 5 and 15 minutes. */
  readonly loadAverage: readonly number[]
}

/** The machine, and what is mounted where `path` lies, which is absolute and has no links. */
export function describeMachine(path: string, fs: FileSystem = nodeFileSystem): Machine {
  const mount = mountOf(path, fs)
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    fileSystem: mount === null ? 'unknown' : `${mount.type} (${mount.options})`,
    device: mount?.device ?? 'unknown',
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
  }
}

interface Mount {
  readonly device: string
  readonly type: string
  readonly options: string
}

const mountTable = '/proc/self/mounts'
const mountTableBytesMax = 2 ** 20

/** The innermost mount that holds `path`; known on Linux only. */
function mountOf(path: string, fs: FileSystem): Mount | null {
  let found: (Mount & { readonly point: string }) | null = null
  for (const line of readMounts(fs).split('\n')) {
    const [device, point, type, options] = line.split(' ')
    if (device === undefined || point === undefined) continue
    const isAbove = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (!isAbove || (found !== null && found.point.length > point.length)) continue
    found = { device, point, type: type ?? '', options: options ?? '' }
  }
  return found
}

/** The kernel's table has no size: it is read until nothing more comes. Empty elsewhere. */
function readMounts(fs: FileSystem): string {
  if (fs.stat(mountTable) === null) return ''
  const file = fs.open(mountTable, 'read')
  try {
    const bytes = Buffer.alloc(mountTableBytesMax)
    let filled = 0
    while (filled < bytes.length) {
      const count = file.readSync(bytes.subarray(filled), filled)
      if (count === 0) break
      filled += count
    }
    return bytes.toString('utf8', 0, filled)
  } finally {
    file.close()
  }
}
