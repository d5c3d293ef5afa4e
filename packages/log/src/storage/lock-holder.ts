import fs from 'node:fs'

/** A process that holds a lock. */
export interface LockHolder {
  readonly pid: number
  /** The name of its program; null where the system does not tell. */
  readonly program: string | null
}

/**
 * Who holds the lock on a file: what Linux says in `/proc/locks`. Null elsewhere, when nobody holds
 * it, and when its holder lives where this process cannot see it (another container). For messages:
 * by the time it is read, things may have changed.
 */
export function lockHolder(path: string): LockHolder | null {
  try {
    const { dev, ino } = fs.statSync(path, { bigint: true })
    const found = findLock(fs.readFileSync('/proc/locks', 'latin1'), deviceName(dev), ino)
    return found === null ? null : { pid: found, program: programOf(found) }
  } catch {
    // It only makes a message better.
    return null
  }
}

/** Lines are `1: POSIX  ADVISORY  WRITE 4711 fe:00:9979534 0 EOF`; a waiting lock has an arrow. */
function findLock(locks: string, device: string, inode: bigint): number | null {
  for (const line of locks.split('\n')) {
    const [, , , , pid, file] = line.split(/\s+/)
    if (line.includes('->') || file !== `${device}:${inode}`) continue
    if (Number(pid) > 0) return Number(pid)
  }
  return null
}

/** As the kernel writes it: major and minor number in hexadecimal. */
function deviceName(device: bigint): string {
  const major = (device >> 8n) & 0xfffn
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n)
  return [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':')
}

function programOf(pid: number): string | null {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() || null
  } catch {
    // It has ended, or is somebody else's.
    return null
  }
}
