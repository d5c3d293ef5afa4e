import { createHash } from 'node:crypto'
import type { ReadOnlyLog } from '@varve/log'
import type { CorpusFile } from './corpus.ts'
import type { Ledger } from './ledger.ts'

/** What reading everything back has shown. */
export interface Proof {
  /** Records that were acknowledged, and are there with the same key and checksum. */
  readonly proved: number
  /** On disk, though the writer died before it could say so. */
  readonly unacknowledged: number
  readonly bytes: number
}

/**
 * Reads the whole log and compares it with the ledger and with the files themselves. Throws at the
 * first difference: a record that is missing, changed, twice there or out of order.
 */
export async function prove(
  log: ReadOnlyLog,
  ledger: Ledger,
  corpus: readonly CorpusFile[],
): Promise<Proof> {
  let expected = log.logStartOffset
  let proved = 0
  let bytes = 0
  for await (const record of log.reader({ from: expected }).records()) {
    const { offset } = record
    const key = String(record.key)
    if (offset !== expected) throw new Error(`offset ${offset} follows ${expected - 1}`)
    if (key !== corpus[offset]?.key) throw new Error(`offset ${offset} holds ${key}, out of order`)
    const acknowledged = ledger.at(offset)
    if (acknowledged !== null) {
      const value = record.value ?? Buffer.alloc(0)
      const sha256 = createHash('sha256').update(value).digest('hex')
      if (acknowledged.key !== key || acknowledged.sha256 !== sha256) {
        throw new Error(`offset ${offset}, ${key}, is not what was acknowledged`)
      }
      proved += 1
    }
    bytes += Math.max(record.valueSize, 0)
    expected += 1
  }
  if (proved !== ledger.count) {
    throw new Error(`${ledger.count} records were acknowledged, ${proved} are there`)
  }
  return { proved, unacknowledged: expected - proved, bytes }
}
