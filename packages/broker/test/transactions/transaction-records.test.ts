import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptTransactionRecordError } from '../../src/transactions/transaction-errors.ts'
import {
  decodeTransactionKey,
  decodeTransactionValue,
  encodeTransactionKey,
  encodeTransactionValue,
  type TransactionRecord,
} from '../../src/transactions/transaction-records.ts'
import { checkProperty } from '../property.ts'

// Written by TransactionLogKey and TransactionLogValue of Kafka 4.3.1.
const kafkaKey = '000000076772c3bc6e2d31'
const partitionsOfVersion0 =
  '0000000200066f726465727300000002000000000000000200125f5f636f6e73756d65725f6f6666736574730000' +
  '000100000031'
const partitionsOfVersion1 =
  '03076f726465727303000000000000000200135f5f636f6e73756d65725f6f6666736574730200000031' + '00'
const times = '0000019b76daa8010000019b76daa800'
const head = '000000010000000100070000ea60'
const version0 = `0000${head}02${partitionsOfVersion0}${times}`
const version1 = `0001${head}01${partitionsOfVersion1}${times}00`
const version1WithPrevious = `${version1.slice(0, -2)}0100080000000000000063`
const nullPartitions = '0000000000000000000000000000000100ffffffff0000000000000005ffffffffffffffff'

const record: TransactionRecord = {
  producerId: 4294967297,
  previousProducerId: -1,
  producerEpoch: 7,
  timeoutMs: 60000,
  status: 'prepareCommit',
  partitions: [
    { topic: 'orders', partition: 0 },
    { topic: 'orders', partition: 2 },
    { topic: '__consumer_offsets', partition: 49 },
  ],
  lastUpdateMs: 1767225600001,
  startMs: 1767225600000,
}
const ongoing: TransactionRecord = { ...record, status: 'ongoing' }

const fromHex = (hex: string): Buffer => Buffer.from(hex, 'hex')

describe('the records of __transaction_state', () => {
  test('are, byte for byte, what Kafka writes', () => {
    expect(encodeTransactionKey('grün-1').toString('hex')).toBe(kafkaKey)
    expect(encodeTransactionValue(record).toString('hex')).toBe(version0)
    const withPrevious = encodeTransactionValue({ ...ongoing, previousProducerId: 99 })
    expect(withPrevious.toString('hex')).toBe(version1WithPrevious)
  })

  test('are read in both of its versions', () => {
    expect(decodeTransactionKey(fromHex(kafkaKey))).toBe('grün-1')
    expect(decodeTransactionValue(fromHex(version0))).toEqual(record)
    expect(decodeTransactionValue(fromHex(version1))).toEqual(ongoing)
    const withPrevious = decodeTransactionValue(fromHex(version1WithPrevious))
    expect(withPrevious).toEqual({ ...ongoing, previousProducerId: 99 })
    expect(decodeTransactionValue(fromHex(nullPartitions))).toMatchObject({
      status: 'empty',
      partitions: [],
      startMs: -1,
    })
  })

  test('of versions that are not known yet are passed over', () => {
    expect(decodeTransactionKey(fromHex('0001ff'))).toBeNull()
    expect(decodeTransactionValue(fromHex('0002ff'))).toBeNull()
  })

  test('are refused when they are cut or impossible', () => {
    for (const hex of [version0, version1WithPrevious]) {
      const bytes = fromHex(hex)
      for (let length = 0; length < bytes.length; length++) {
        const decode = () => decodeTransactionValue(bytes.subarray(0, length))
        expect(decode).toThrow(CorruptTransactionRecordError)
      }
    }
    const bytes = fromHex(version0)
    bytes[16] = 9
    expect(() => decodeTransactionValue(bytes)).toThrow('status')
    expect(() => decodeTransactionKey(fromHex('0000ffff'))).toThrow(CorruptTransactionRecordError)
  })

  test('of random bytes are decoded or refused, and nothing else', async () => {
    const known = fc.constantFrom(version0, version1, version1WithPrevious).map(fromHex)
    const changed = fc.tuple(known, fc.array(fc.tuple(fc.nat(90), fc.nat(255)))).map((input) => {
      const [bytes, changes] = input
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte
      return bytes
    })
    const random = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))
    await checkProperty(fc.oneof(changed, random), 500, (bytes) => {
      for (const decode of [decodeTransactionKey, decodeTransactionValue]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptTransactionRecordError)
        }
      }
    })
  })
})
