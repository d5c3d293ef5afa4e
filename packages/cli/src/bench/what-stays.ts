import { readdirSync } from 'node:fs'
import { isCluster } from '@varve/bench'
import type { ProduceRunOptions } from './bench-options.ts'
import type { RecordRun } from './record-runs.ts'

/**
 * A topic of its own name makes a data directory of `--data`, and that outlives the topic: the run
 * says so. Without a name everything is in a scratch directory, and goes.
 */
export async function tellingWhatStays(
  { data, topic }: Pick<ProduceRunOptions, 'data' | 'topic'>,
  run: () => Promise<RecordRun>,
): Promise<RecordRun> {
  if (topic === null || isCluster(data)) return await run()
  const before = new Set(namesIn(data))
  const result = await run()
  const isOfTopic = (name: string): boolean => /^-\d+$/.test(name.slice(topic.length))
  const left = namesIn(data).filter((name) => {
    return !before.has(name) && !(name.startsWith(topic) && isOfTopic(name))
  })
  if (left.length === 0) return result
  const note = `${data} is a data directory now: ${left.join(', ')} stay there`
  return { ...result, notes: [...result.notes, note] }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    // It is made by the run.
    return []
  }
}
