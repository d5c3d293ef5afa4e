import { setTimeout as delay } from 'node:timers/promises'
import type { SoakSample } from './growth-judge.ts'
import { readProcessGauges } from './process-gauges.ts'
import { SoakLoad } from './soak-load.ts'

export interface SoakOptions {
  /** Of a data directory that is not there yet. */
  readonly path: string
  readonly rounds: number
  /** Records to append in each round; each is read several times as well. */
  readonly recordsPerRound: number
}

export interface SoakResult {
  readonly samples: readonly SoakSample[]
  /** Of what was appended, and read by those who follow. */
  readonly hash: string
}

/** Waits for what a round leaves behind for a moment: files that are removed a little later. */
const settleMs = 100

/** Does the same again and again, and looks at the process after each time. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { path, rounds, recordsPerRound } = options
  const load = await SoakLoad.open(path, recordsPerRound)
  const samples: SoakSample[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      await load.round()
      await delay(settleMs)
      samples.push({ operations: load.appended, ...(await readProcessGauges()) })
    }
    load.checkTookPlace()
    return { samples, hash: load.checkRead() }
  } finally {
    await load.close()
  }
}
