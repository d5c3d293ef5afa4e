import { DirectoryTarget, inlineEncoder, Repository, runBackup } from '@varve/backup'
import { openDataDirectory } from '@varve/broker'
import { nodeFileSystem } from '@varve/log'

const headers = [{ key: 'kind', value: 'even' }]

/** A data directory with a topic of which a group has read some, and a backup of it. */
export async function makeHistory(root: string): Promise<void> {
  await using varve = await openDataDirectory(`${root}/data`, { cleaning: false })
  await varve.createTopic('orders', { partitions: 2, retentionMs: 1000, segmentBytes: 2000 })
  const producer = varve.producer()
  for (let index = 0; index < 60; index++) {
    const record = {
      key: `k${index % 3}`,
      value: `v${index}`.padEnd(60),
      timestamp: Date.UTC(2026, 0, 1 + index),
      ...(index % 2 === 0 && { headers }),
    }
    await producer.send('orders', record, { partition: index % 2 })
  }
  await (await varve.groups()).resetOffsets('billing', [
    { topic: 'orders', partition: 1, offset: 7 },
  ])
  for (const partition of [0, 1]) await varve.log('orders', partition).settle()
  const repository = await Repository.create(new DirectoryTarget(`${root}/repository`))
  const options = { encoder: inlineEncoder(nodeFileSystem), threads: 1 }
  await runBackup(repository, varve.backupSource(), options)
}

/** The values of both partitions of a topic. */
export async function recordsIn(data: string, topic = 'orders'): Promise<readonly string[][]> {
  await using varve = await openDataDirectory(data, { cleaning: false })
  const all: string[][] = []
  for (const partition of [0, 1]) {
    const values: string[] = []
    const reader = varve.log(topic, partition).reader({ from: 0, isolation: 'committed' })
    for await (const { value } of reader.records()) values.push(String(value).trimEnd())
    all.push(values)
  }
  return all
}
