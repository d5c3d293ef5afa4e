// The process that the demo kills. It appends the files that the log does not hold yet, each as a
// record of its own, acknowledged when it is on disk; many are under way at a time. What was
// acknowledged it tells at once, on standard output.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Log, LogDirectory, systemClock } from '@varve/log'
import type { CompressionType } from '@varve/record'
import { Acknowledgements, tell } from './demo/acknowledgements.ts'
import type { CorpusFile } from './demo/corpus.ts'
import { demoCorpus, logOptions, partition, topic } from './demo/demo-settings.ts'

const underWayMax = 64
const underWayBytesMax = 32 * 2 ** 20

const [data = '', compressionType = 'none'] = process.argv.slice(2)
await write(data, compressionType as CompressionType)

async function write(data: string, compressionType: CompressionType): Promise<void> {
  const directory = await LogDirectory.open(data, { log: { ...logOptions, compressionType } })
  const log =
    directory.logs.get(`${topic}-${partition}`) ?? (await directory.createLog(topic, partition))
  const { logEndOffset } = log
  tell({ type: 'opened', logEndOffset, report: log.recoveryReport })
  // Files are appended in their order and the log is dense: its end says where to go on.
  await appendAll(log, demoCorpus().slice(logEndOffset))
  await directory.close()
  tell({ type: 'closed' })
}

async function appendAll(log: Log, files: readonly CorpusFile[]): Promise<void> {
  const acknowledgements = new Acknowledgements()
  const underWay: Array<{ readonly appended: Promise<void>; readonly sizeBytes: number }> = []
  let bytes = 0
  for (const { key, path } of files) {
    const value = readFileSync(path)
    const sha256 = createHash('sha256').update(value).digest('hex')
    const startedMs = systemClock.monotonic()
    const appended = log.append({ key, value }, { acks: 'flushed' }).then(({ baseOffset }) => {
      const latencyMs = systemClock.monotonic() - startedMs
      acknowledgements.add({ offset: baseOffset, key, sizeBytes: value.length, sha256, latencyMs })
    })
    underWay.push({ appended, sizeBytes: value.length })
    bytes += value.length
    while (underWay.length >= underWayMax || bytes > underWayBytesMax) {
      const first = underWay.shift()
      if (first === undefined) break
      await first.appended
      bytes -= first.sizeBytes
    }
  }
  for (const { appended } of underWay) await appended
  acknowledgements.tell()
}
