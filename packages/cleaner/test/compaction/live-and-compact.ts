import { Random } from '@varve/log/testing'
import { CompactionLife } from './compaction-life.ts'

export interface LivesCounts {
  compactions: number
  crashes: number
  duplicates: number
}

/** Lives so many lives; throws at the first thing that is wrong, with what replays it. */
export async function liveAndCompact(
  seed: number,
  lives: number,
  { steps, crashes }: { readonly steps: number; readonly crashes: number },
): Promise<LivesCounts> {
  const random = new Random(seed)
  const counts: LivesCounts = { compactions: 0, crashes: 0, duplicates: 0 }
  for (let life = 0; life < lives; life++) {
    const lived = new CompactionLife(random.fork())
    try {
      await lived.live(steps, crashes)
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      throw new Error(`VARVE_SEED=${seed}, life ${life}: ${what}`, { cause: error })
    }
    counts.compactions += lived.counts.compactions
    counts.crashes += lived.counts.crashes
    counts.duplicates += lived.counts.duplicates
  }
  return counts
}
