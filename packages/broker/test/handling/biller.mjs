// A process that handles the records of a topic from the first one on, each of them once, until it
// is killed. It commits nothing: only the ledger knows what has been done. Runs from compiled code:
// `node biller.mjs DIRECTORY`.
import { writeSync } from 'node:fs'
import { onceOnly, openVarve } from '@varve/broker'

const [path = ''] = process.argv.slice(2)
const varve = await openVarve(path, { cleaning: false })
const ledger = await varve.effectLedger('billing')
// The effect: what is in the pipe, its reader gets, whatever becomes of this process.
const handler = onceOnly(({ offset }) => void writeSync(1, `${offset}\n`), { ledger })
const consumer = varve.consumer({ topics: ['orders'], follow: false })
await consumer.run({ handler })
await varve.close()
