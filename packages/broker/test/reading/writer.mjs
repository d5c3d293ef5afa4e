// A process that has a data directory open and sends as fast as it can, until it is killed. What
// was acknowledged it passes on, in one write into a pipe. Runs from compiled code:
// `node writer.mjs DIRECTORY LIFE`.
import { writeSync } from 'node:fs'
import { openVarve } from '@varve/broker'

const [path = '', life = '0'] = process.argv.slice(2)
const partitions = 2

const varve = await openVarve(path, { cleaning: false })
if (!(await varve.listTopics()).includes('orders')) {
  await varve.createTopic('orders', { partitions, segmentBytes: 16 * 1024 })
}
const producer = varve.producer()
let serial = 0
let inFlight = 0

async function send() {
  const partition = serial % partitions
  const value = `${life}:${serial++}`
  inFlight += 1
  const { offset } = await producer.send('orders', { value }, { partition })
  inFlight -= 1
  writeSync(1, `${partition} ${offset} ${value}\n`)
}

for (;;) {
  while (inFlight < 64) void send()
  await new Promise((resolve) => setImmediate(resolve))
}
