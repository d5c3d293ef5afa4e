import { expect, test } from 'vitest'
import {
  hasCleanShutdown,
  removeCleanShutdown,
  writeCleanShutdown,
} from '../../src/format/clean-shutdown.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

function dataDirectory(): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  fs.makeDirectories('/data')
  return fs
}

test('the marker is written as Kafka writes it', async () => {
  const fs = dataDirectory()
  expect(hasCleanShutdown(fs, '/data')).toBe(false)
  await writeCleanShutdown(fs, '/data')
  expect(hasCleanShutdown(fs, '/data')).toBe(true)
  const bytes = fs.bytesOf('/data/.kafka_cleanshutdown')
  expect(bytes.toString()).toBe('{"version":0,"brokerEpoch":-1}')
})

test('an empty marker of an old version counts as well', () => {
  const fs = dataDirectory()
  fs.writeBytes('/data/.kafka_cleanshutdown', Buffer.alloc(0))
  expect(hasCleanShutdown(fs, '/data')).toBe(true)
})

test('a marker that was removed does not come back after a power cut', async () => {
  const fs = dataDirectory()
  await writeCleanShutdown(fs, '/data')
  expect(await removeCleanShutdown(fs, '/data')).toBe(true)
  expect(hasCleanShutdown(fs.crashState(fs.operations, 'none'), '/data')).toBe(false)
  expect(await removeCleanShutdown(fs, '/data')).toBe(false)
})

test('a marker that was written survives a power cut', async () => {
  const fs = dataDirectory()
  await fs.syncDirectory('/')
  await writeCleanShutdown(fs, '/data')
  expect(hasCleanShutdown(fs.crashState(fs.operations, 'none'), '/data')).toBe(true)
})

test('a marker that cannot be removed is an error', async () => {
  const fs = dataDirectory()
  await writeCleanShutdown(fs, '/data')
  fs.injectFault({ kind: 'EIO' })
  await expect(removeCleanShutdown(fs, '/data')).rejects.toThrow(/EIO/)
})
