import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** What a run cost this process. */
export interface ProcessFigures {
  /** Of all threads, in the kernel too. */
  readonly cpuSeconds: number
  readonly cpuSecondsPerMillionRecords: number
  /** Highest resident memory that was seen while it ran. */
  readonly residentMiB: number
  /**
   * Part of the time in which the event loop had work, 0 to 1; null where the run kept it turning
   * to send at the right moment.
   */
  readonly eventLoopUtilization: number | null
  /** How late a timer of this process was; 99th percentile and worst. */
  readonly eventLoopDelayP99Ms: number
  readonly eventLoopDelayMaxMs: number
}

/** A timer of 1 ms is what the loop's delay is told by. */
const resolutionMs = 1

/** Watches this process from its making, or from `restart`, on. */
export class ProcessWatch implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs })
  #cpu: NodeJS.CpuUsage = process.cpuUsage()
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()
  #residentBytes = process.memoryUsage.rss()

  constructor() {
    this.#delay.enable()
  }

  restart(): void {
    this.#cpu = process.cpuUsage()
    this.#utilization = performance.eventLoopUtilization()
    this.#delay.reset()
    this.#residentBytes = process.memoryUsage.rss()
  }

  /** Takes note of the memory; to be called now and then. */
  sample(): void {
    this.#residentBytes = Math.max(this.#residentBytes, process.memoryUsage.rss())
  }

  figures(records: number, options: { readonly isSpinning: boolean }): ProcessFigures {
    this.sample()
    const { user, system } = process.cpuUsage(this.#cpu)
    const cpuSeconds = (user + system) / 1e6
    const { utilization } = performance.eventLoopUtilization(this.#utilization)
    return {
      cpuSeconds,
      cpuSecondsPerMillionRecords: records > 0 ? (cpuSeconds / records) * 1e6 : 0,
      residentMiB: this.#residentBytes / 2 ** 20,
      eventLoopUtilization: options.isSpinning ? null : utilization,
      eventLoopDelayP99Ms: lateness(this.#delay.percentile(99)),
      eventLoopDelayMaxMs: lateness(this.#delay.max),
    }
  }

  [Symbol.dispose](): void {
    this.#delay.disable()
  }
}

/** The monitor counts its own interval; before its first sample its maximum is 0. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolutionMs)
}
