// A process in whose data directory everything goes on at once, until its standard input ends. Runs
// from compiled code: `node busy-writer.mjs DIRECTORY`. It says `ready` when it has begun, and at
// the end what it has done.
import { setImmediate as turn } from 'node:timers/promises'
import { openVarve } from '@varve/broker'

const [path = ''] = process.argv.slice(2)
const small = { segmentBytes: 16_384, fileDeleteDelayMs: 0 }
const done = { transactions: 0, keyed: 0, compactions: 0, deletions: 0 }
let isStopped = false
process.stdin.on('end', () => {
  isStopped = true
})
process.stdin.resume()

const varve = await openVarve(path, { cleaning: false })
for (const topic of ['in', 'out', 'out-a', 'out-b']) {
  await varve.createTopic(topic, { ...small, partitions: 2 })
}
const compacted = { cleanupPolicy: 'compact', minCleanableDirtyRatio: 0, deleteRetentionMs: 1 }
await varve.createTopic('keyed', { ...small, ...compacted })
const producer = varve.producer()
const endOf = (partition) => varve.log('in', partition).highWatermark

async function loop(step) {
  for (let round = 0; !isStopped; round++) {
    await step(round)
    await turn()
  }
}

async function transact(transactional, round, send) {
  const transaction = await transactional.begin()
  await send(transaction)
  if (round % 4 === 3) await transaction.abort()
  else await transaction.commit()
  done.transactions++
}

/** One transaction after the other, over both partitions of a topic. */
function neverPausing(name) {
  const transactional = varve.producer({ transactionalId: name })
  return loop((round) =>
    transact(transactional, round, async (transaction) => {
      for (const partition of [0, 1]) {
        await transaction.send(`out-${name}`, { value: `${round}` }, { partition })
      }
    }),
  )
}

const worker = varve.producer({ transactionalId: 'worker' })
const loops = [
  neverPausing('a'),
  neverPausing('b'),
  loop(async (round) => {
    await producer.send('in', { key: `k${round}`, value: `v${round} ${'x'.repeat(60)}` })
  }),
  // What `keyedSend` says.
  loop(async (round) => {
    const value = round % 3 === 0 ? null : `v${round} ${'y'.repeat(60)}`
    await producer.send('keyed', { key: `k${(round * 7) % 20}`, value })
    done.keyed++
  }),
  loop((round) =>
    transact(worker, round, async (transaction) => {
      const offset = endOf(0)
      const value = `${round}:${offset}`
      await transaction.send('out', { value }, { partition: 0 })
      await transaction.send('out', { value }, { partition: 1 })
      await transaction.sendOffsets('billing', [{ topic: 'in', partition: 0, offset }])
    }),
  ),
  loop(async () => {
    const groups = await varve.groups()
    const offsets = [0, 1].map((partition) => ({
      ...{ topic: 'in', partition, offset: endOf(partition), metadata: '' },
    }))
    await groups.resetOffsets('mailing', offsets)
  }),
  loop(async (round) => {
    const [before] = varve.log('keyed', 0).segments()
    await varve.cleaner.runOnce()
    const [after] = varve.log('keyed', 0).segments()
    if (before?.sizeBytes !== after?.sizeBytes) done.compactions++
    if (round % 3 === 0) {
      done.deletions += (await varve.log('in', round % 2).deleteSegmentsBefore(endOf(round % 2)))
        ? 1
        : 0
    }
  }),
]
process.stdout.write('ready\n')
await Promise.all(loops)
await varve.close()
process.stdout.write(`${JSON.stringify(done)}\n`)
