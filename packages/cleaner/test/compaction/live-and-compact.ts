import { Random } from '@varve/log/testing'
import { CompactionLife, type LifeCounts } from './compaction-life.ts'

/** Lives so many lives; throws at the first thing that is wrong, with what replays it. */
export async function liveAndCompact(
  seed: number,
  lives: number,
  { steps, crashes }: { readonly steps: number; readonly crashes: number },
): Promise<LifeCounts> {
  const random = new Random(seed)
  const counts: LifeCounts = {
    ...{ compactions: 0, crashes: 0, duplicates: 0, expired: 0, retained: 0 },
  }
  for (let life = 0; life < lives; life++) {
    const lived = new CompactionLife(random.fork())
    try {
      await lived.live(steps, crashes)
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      throw new Error(`VARVE_SEED=${seed}, life ${life}: ${what}`, { cause: error })
    }
    for (const name of Object.keys(counts) as Array<keyof LifeCounts>) {
      counts[name] += lived.counts[name]
    }
  }
  return counts
}
