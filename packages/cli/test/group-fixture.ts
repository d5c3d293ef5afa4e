import { type DirectoryVarve, openDataDirectory } from '@varve/broker'
import { makeTemporaryDirectory } from '@varve/log/testing'

const temporary = makeTemporaryDirectory()

let count = 0

/** A path where nothing is yet. */
export function newPath(): string {
  return `${temporary.path}/data-${count++}`
}

/** A data directory to write to; its background work is off. */
export function openData(data: string): Promise<DirectoryVarve> {
  return openDataDirectory(data, { cleaning: false })
}

/**
 * Topic `orders` with two partitions of ten and five records, of which group `billing` has
 * committed three and five.
 */
export async function makeGroupData(): Promise<string> {
  const data = newPath()
  await using varve = await openData(data)
  // Its records are of 1970, and are to stay.
  await varve.createTopic('orders', { partitions: 2, retentionMs: -1 })
  for (const [partition, records] of [10, 5].entries()) {
    for (let index = 0; index < records; index++) {
      const record = { value: `${partition}/${index}`, timestamp: 1000 * index }
      await varve.producer().send('orders', record, { partition })
    }
  }
  const groups = await varve.groups()
  await groups.resetOffsets('billing', [
    { topic: 'orders', partition: 0, offset: 3 },
    { topic: 'orders', partition: 1, offset: 5 },
  ])
  return data
}
