import { expect, test } from 'vitest'
import * as record from '../src/index.ts'

test('the package offers exactly these names', () => {
  expect(Object.keys(record).sort()).toEqual([
    'BatchEncoder',
    'CorruptBatchError',
    'DecompressionLimitError',
    'DecompressionMemory',
    'InvalidArgumentError',
    'LegacyBatch',
    'LogRecord',
    'MovingBatch',
    'NativeModuleError',
    'RecordBatch',
    'RecordBatchBuilder',
    'UnsupportedFormatError',
    'VarveError',
    'batchOverheadBytes',
    'batchPrefixBytes',
    'batchSizeAt',
    'compress',
    'controlTypeOf',
    'crc32c',
    'decompress',
    'decrementSequence',
    'defaultMaxDecompressedBytes',
    'emptyBatchOf',
    'endTransactionMarkerBatch',
    'incrementSequence',
    'readBatchAt',
    'readBatches',
    'readEndTransactionMarker',
  ])
})
