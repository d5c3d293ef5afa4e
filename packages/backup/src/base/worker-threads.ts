import { createRequire } from 'node:module'
import type { Piscina } from 'piscina'

/**
 * Worker threads that run a compiled file, started when there is something to do. The package
 * behind them is loaded here: a program that takes no backup starts sooner without it.
 */
export function workerThreads(filename: string, threads: number): Piscina {
  const { Piscina } = createRequire(import.meta.url)('piscina') as typeof import('piscina')
  return new Piscina({
    filename,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 1000,
    // The flags of a test runner would have the worker load sources.
    execArgv: [],
  })
}
