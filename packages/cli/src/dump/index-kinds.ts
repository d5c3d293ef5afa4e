import {
  type DecodedIndex,
  decodeOffsetIndex,
  decodeTimeIndex,
  decodeTransactionIndex,
  offsetIndexEntryBytes,
  timeIndexEntryBytes,
  transactionIndexEntryBytes,
} from '@varve/log/files'
import { formatTimestamp } from '../human.ts'

/** An entry of an index file, ready to be printed. */
export interface IndexEntry {
  /** The offset by which it is found and left out. */
  readonly offset: number
  /** For machines. */
  readonly json: unknown
  /** For people. */
  readonly text: string
}

/** How to read a kind of index file, of which each entry has the same size. */
export interface IndexKind {
  readonly type: 'index' | 'timeindex' | 'txnindex'
  readonly entryBytes: number
  /** The valid entries at the start of `bytes`. */
  decode(bytes: Buffer, baseOffset: number): DecodedEntries
}

export interface DecodedEntries {
  readonly count: number
  entryAt(index: number): IndexEntry
  readonly problem: DecodedIndex<unknown>['problem']
}

export const indexKinds: { readonly [Type in IndexKind['type']]: IndexKind } = {
  index: {
    type: 'index',
    entryBytes: offsetIndexEntryBytes,
    decode: (bytes, baseOffset) => {
      const { index, problem } = decodeOffsetIndex(bytes, baseOffset)
      const entryAt = (at: number): IndexEntry => {
        const { offset, position } = index.entryAt(at)
        return { offset, json: [offset, position], text: `offset ${offset}  position ${position}` }
      }
      return { count: index.count, entryAt, problem }
    },
  },
  timeindex: {
    type: 'timeindex',
    entryBytes: timeIndexEntryBytes,
    decode: (bytes, baseOffset) => {
      const { index, problem } = decodeTimeIndex(bytes, baseOffset)
      const entryAt = (at: number): IndexEntry => {
        const { timestamp, offset } = index.entryAt(at)
        const text = `timestamp ${timestamp} (${formatTimestamp(timestamp)})  offset ${offset}`
        return { offset, json: [timestamp, offset], text }
      }
      return { count: index.count, entryAt, problem }
    },
  },
  txnindex: {
    type: 'txnindex',
    entryBytes: transactionIndexEntryBytes,
    decode: (bytes, baseOffset) => {
      const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
      const entryAt = (at: number): IndexEntry => {
        const { version, producerId, firstOffset, lastOffset, lastStableOffset } = index.entryAt(at)
        return {
          offset: lastOffset,
          json: { version, producerId, firstOffset, lastOffset, lastStableOffset },
          text:
            `producer ${producerId}  aborted offsets ${firstOffset} to ${lastOffset}  ` +
            `last stable offset ${lastStableOffset}`,
        }
      }
      return { count: index.count, entryAt, problem }
    },
  },
}
