import { readFileSync } from 'node:fs'

/** Where the system does not tell, or tells of little. */
const least = 512
/** More busy logs than this wait for the disk more than for files. */
const most = 8192

/**
 * How many files a data directory keeps open unless it is told: a quarter of what the system lets
 * the process open, from 512 to 8,192. The rest is for sockets, other directories, and whatever the
 * program does. Node.js raises its limit at the start as far as it may.
 */
export function openFilesDefault(): number {
  const limit = openFilesLimit(limitsFile())
  return Math.max(least, Math.min(most, Math.floor(limit / 4)))
}

/** The soft limit in what Linux shows as `/proc/self/limits`; 0 where it stands nowhere. */
export function openFilesLimit(limits: string): number {
  const [, soft = '0'] = /^Max open files +(\d+|unlimited) /m.exec(limits) ?? []
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
}

function limitsFile(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return ''
  }
}
