import { expect, test } from 'vitest'
import { dumpComplaints, parseDump } from '../../src/kafka/dump-log-parser.ts'

const batchLine =
  'baseOffset: 5 lastOffset: 6 count: 2 baseSequence: 2147483647 lastSequence: 0 producerId: 1002 ' +
  'producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: false ' +
  'deleteHorizonMs: OptionalLong.empty position: 319 CreateTime: 1700000000006 size: 102 magic: 2 ' +
  'compresscodec: none crc: 2991531794 isvalid: true'

const markerBatchLine =
  'baseOffset: 7 lastOffset: 7 count: 1 baseSequence: -1 lastSequence: -1 producerId: 1001 ' +
  'producerEpoch: 5 partitionLeaderEpoch: 0 isTransactional: true isControl: true ' +
  'deleteHorizonMs: OptionalLong[1700000000999] position: 421 CreateTime: 1700000000007 size: 78 ' +
  'magic: 2 compresscodec: none crc: 3880288305 isvalid: false'

test('a batch and its records are read with every field', () => {
  const stdout = [
    'Dumping /data/t-0/00000000000000000000.log',
    'Log starting offset: 0',
    batchLine,
    '| offset: 5 CreateTime: 1700000000005 keySize: 1 valueSize: -1 sequence: 2147483647 headerKeys: [a,,b] key: YQ==',
    '| offset: 6 CreateTime: 1700000000006 keySize: -1 valueSize: 0 sequence: 0 headerKeys: [] payload: ',
    '',
  ].join('\n')
  const [file] = parseDump(stdout)
  expect(file?.path).toBe('/data/t-0/00000000000000000000.log')
  expect(file?.unrecognised).toEqual([])
  expect(file?.batches).toEqual([
    {
      baseOffset: 5,
      lastOffset: 6,
      count: 2,
      baseSequence: 2147483647,
      lastSequence: 0,
      producerId: 1002,
      producerEpoch: 1,
      partitionLeaderEpoch: 0,
      isTransactional: true,
      isControl: false,
      deleteHorizonMs: null,
      position: 319,
      timestampType: 'CreateTime',
      maxTimestamp: 1700000000006,
      size: 102,
      magic: 2,
      compressionType: 'none',
      crc: 2991531794,
      isValid: true,
      records: [
        {
          offset: 5,
          timestampType: 'CreateTime',
          timestamp: 1700000000005,
          keySize: 1,
          valueSize: -1,
          sequence: 2147483647,
          headerKeys: 'a,,b',
          key: 'YQ==',
          value: null,
          endTransactionMarker: null,
        },
        {
          offset: 6,
          timestampType: 'CreateTime',
          timestamp: 1700000000006,
          keySize: -1,
          valueSize: 0,
          sequence: 0,
          headerKeys: '',
          key: null,
          value: '',
          endTransactionMarker: null,
        },
      ],
    },
  ])
})

test('a marker, a delete horizon and a bad checksum are recognised', () => {
  const marker =
    '| offset: 7 CreateTime: 1700000000007 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: ABORT coordinatorEpoch: 3'
  const [file] = parseDump(['Dumping x.log', markerBatchLine, marker].join('\n'))
  expect(file?.unrecognised).toEqual([])
  expect(file?.batches[0]).toMatchObject({ deleteHorizonMs: 1700000000999, isValid: false })
  expect(file?.batches[0]?.records[0]?.endTransactionMarker).toEqual({
    type: 'ABORT',
    coordinatorEpoch: 3,
  })
})

test('a control record of the metadata log is read without what it says', () => {
  const leaderChange =
    '| offset: 0 CreateTime: 17 keySize: 4 valueSize: 19 sequence: -1 headerKeys: [] LeaderChange: {"version":0,"voters":[{"voterId":1}]}'
  const [file] = parseDump(['Dumping x.log', markerBatchLine, leaderChange].join('\n'))
  expect(file?.unrecognised).toEqual([])
  expect(file?.batches[0]?.records[0]).toMatchObject({
    headerKeys: '',
    key: null,
    value: null,
    endTransactionMarker: null,
  })
})

test('header keys are told from the key, whatever they hold', () => {
  const record =
    '| offset: 6 CreateTime: 1 keySize: 1 valueSize: 1 sequence: 0 headerKeys: [a],b] key: x,[] key: YQ== payload: Yg=='
  const [file] = parseDump(['Dumping x.log', batchLine, record].join('\n'))
  expect(file?.batches[0]?.records[0]).toMatchObject({
    headerKeys: 'a],b] key: x,[',
    key: 'YQ==',
    value: 'Yg==',
  })
})

test('the entries of every kind of index and snapshot are read', () => {
  const stdout = [
    'Dumping 0.index',
    'offset: 9 position: 4200',
    'Dumping 0.timeindex',
    'timestamp: 1700000000007 offset: 7',
    'Dumping 0.txnindex',
    'version: 0 producerId: 1001 firstOffset: 2 lastOffset: 7 lastStableOffset: 5',
    'Dumping 8.snapshot',
    'producerId: 1002 producerEpoch: 1 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong[5] lastTimestamp: 17 firstSequence: 3 lastSequence: 4 lastOffset: 6 offsetDelta: 1 timestamp: 17',
    'producerId: 1003 producerEpoch: 0 coordinatorEpoch: 2 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 18 ',
    'Dumping 8.index',
    '8.index is empty.',
    'Dumping 9.index',
    '9.index passed sanity check.',
  ].join('\n')
  const files = parseDump(stdout)
  expect(files.flatMap((file) => file.unrecognised)).toEqual([])
  expect(files[0]?.indexEntries).toEqual([[9, 4200]])
  expect(files[1]?.timeIndexEntries).toEqual([[1700000000007, 7]])
  expect(files[2]?.abortedTransactions).toEqual([
    { producerId: 1001, firstOffset: 2, lastOffset: 7, lastStableOffset: 5 },
  ])
  expect(files[3]?.producers.map((producer) => producer.lastBatch)).toEqual([
    { lastSequence: 4, lastOffset: 6 },
    null,
  ])
  expect(files[3]?.producers[0]?.currentTransactionFirstOffset).toBe(5)
  expect(files.map((file) => file.passedSanityCheck)).toEqual([
    false,
    false,
    false,
    false,
    false,
    true,
  ])
})

test('a line of no known form is kept, and bytes that are no batch are counted', () => {
  const stdout = [
    'Dumping x.log',
    'something new',
    'Found 17 invalid bytes at the end of x.log',
  ].join('\n')
  const [file] = parseDump(stdout)
  expect(file?.unrecognised).toEqual(['something new'])
  expect(file?.invalidBytes).toBe(17)
})

test("the tool's mistake about where a log begins is no complaint, a real gap is one", () => {
  expect(dumpComplaints('Non-consecutive offsets in 8.log\n  -1 is followed by 8\n')).toEqual([])
  const gap = 'Non-consecutive offsets in 8.log\n  -1 is followed by 8\n  9 is followed by 12\n'
  expect(dumpComplaints(gap)).toEqual(['Non-consecutive offsets in 8.log', '  9 is followed by 12'])
  expect(dumpComplaints('Mismatches in :8.index\n')).toEqual(['Mismatches in :8.index'])
})
