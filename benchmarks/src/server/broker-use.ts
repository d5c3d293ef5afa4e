import { readFileSync } from 'node:fs'

/** Of Linux: what /proc counts processor time in. */
const ticksPerSecond = 100

/** A process and all that it has started. */
export function processTree(pid: number): readonly number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim()
  const own = children === '' ? [] : children.split(' ').map(Number)
  return [pid, ...own.flatMap(processTree)]
}

/** What a broker's process has used; of a wrapper, with the processes it has started. */
export class BrokerUse {
  readonly #pid: number

  constructor(pid: number) {
    this.#pid = pid
  }

  /** Processor time, in seconds. */
  get cpuSeconds(): number {
    let ticks = 0
    for (const pid of processTree(this.#pid)) {
      // Behind the name, which is in parentheses and may hold spaces.
      const text = readText(`/proc/${pid}/stat`)
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
    }
    return ticks / ticksPerSecond
  }

  /** Resident memory of the largest of the processes, in MiB. */
  get residentMiB(): number {
    return this.#largest('status', /^VmRSS:\s+(\d+)/m)
  }

  /** The same, with what several processes share (pages of programs) divided among them. */
  get proportionalMiB(): number {
    return this.#largest('smaps_rollup', /^Pss:\s+(\d+)/m)
  }

  #largest(file: string, kibibytes: RegExp): number {
    const sizes = processTree(this.#pid).map((pid) => {
      return Number(kibibytes.exec(readText(`/proc/${pid}/${file}`))?.[1] ?? 0) / 1024
    })
    return Math.max(0, ...sizes)
  }
}

/** Empty where the process has ended, or this is no Linux. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
