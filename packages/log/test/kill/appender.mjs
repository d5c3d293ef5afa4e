// A process that works on a log as hard as it can, until it is killed. Each promise that it is given
// it passes on, in one write into a pipe, before it does anything else: what its parent has read was
// acknowledged. Runs from compiled code: `node appender.mjs DIRECTORY LIFE SEED`.
import { writeSync } from 'node:fs'
import { CleanedSegmentWriter, LogDirectory } from '@varve/log'
import { Random } from '@varve/log/testing'
import { RecordBatchBuilder } from '@varve/record'

const [path = '', life = '0', seed = '0'] = process.argv.slice(2)
const random = new Random(Number(seed))
const options = { segmentBytes: 8 * 1024, indexIntervalBytes: 1024, batchBytes: 2048 }
const inFlightMax = 512

const tell = (...words) => writeSync(1, `${words.join(' ')}\n`)

const directory = await LogDirectory.open(path, { log: { ...options, fileDeleteDelayMs: 5 } })
const log = directory.logs.get('t-0') ?? (await directory.createLog('t', 0))
tell('opened', log.logStartOffset, log.logEndOffset)

let serial = 0
let inFlight = 0

async function append() {
  const count = random.between(1, 5)
  const first = serial
  serial += count
  const records = Array.from({ length: count }, (_, index) => ({
    key: `${life}:${first + index}`,
    value: 'x'.repeat(random.int(120)),
  }))
  const acks = random.pick(['none', 'written', 'written', 'flushed'])
  inFlight += 1
  const { baseOffset } = await log.append(records, { acks })
  inFlight -= 1
  if (acks !== 'none') tell('acknowledged', baseOffset, count, first, acks)
}

/** Takes out every fifth offset of some sealed segments. */
async function compact() {
  // Of what is not visible yet a reader would see nothing.
  const { highWatermark } = log
  const sealed = log
    .segments()
    .slice(0, -1)
    .filter(({ nextOffset }, index, all) => nextOffset === all[index + 1]?.baseOffset)
    .filter(({ nextOffset }) => nextOffset <= highWatermark)
  if (sealed.length < 2) return
  const from = random.int(sealed.length)
  const replaced = sealed.slice(from, from + 3)
  const start = replaced[0].baseOffset
  const end = replaced.at(-1).nextOffset
  if (start < log.logStartOffset) return
  const writer = new CleanedSegmentWriter(log.directory, start, { log: options })
  for await (const batch of log.reader({ from: start })) {
    if (batch.baseOffset >= end) break
    const { baseOffset, leaderEpoch } = batch
    const builder = new RecordBatchBuilder({ baseOffset, leaderEpoch })
    for (const { key, value, timestamp, offset } of batch.records()) {
      if (offset % 5 !== 0) builder.append({ key, value, timestamp }, offset - baseOffset)
    }
    const lastOffsetDelta = batch.lastOffset - baseOffset
    if (builder.count > 0) await writer.append(builder.build({ lastOffsetDelta }))
  }
  const cleaned = await writer.finish(end)
  tell('compacting', start, end)
  await log.replaceSegments([cleaned], replaced)
  tell('compacted', start, end)
}

async function remove() {
  const { logStartOffset, highWatermark } = log
  const offset = random.between(logStartOffset, Math.max(logStartOffset, highWatermark - 1500))
  tell('deleting', offset)
  await log.deleteSegmentsBefore(offset)
  tell('deleted', offset)
}

for (;;) {
  while (inFlight < inFlightMax && random.int(40) > 0) void append()
  const turn = random.int(10)
  if (turn === 0) await log.roll()
  if (turn === 1) await log.flush()
  if (turn === 2) await remove()
  if (turn === 3) await compact()
  await new Promise((resolve) => setImmediate(resolve))
}
