import * as log from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import * as varve from '../src/index.ts'
import { LogDirectory, openVarve } from '../src/index.ts'
import * as serving from '../src/server.ts'

test('the example of the module runs as it stands there, and goes on when it is run again', async () => {
  using temporary = makeTemporaryDirectory()
  const found: string[] = []
  const run = async (value: string): Promise<void> => {
    await using varve = await openVarve(temporary.path)
    if (!(await varve.listTopics()).includes('orders')) {
      await varve.createTopic('orders', { partitions: 3 })
    }
    const producer = varve.producer()
    await producer.send('orders', { key: 'o-17', value })
    const consumer = varve.consumer({ group: 'billing', topics: ['orders'], follow: false })
    for await (const record of consumer) {
      found.push(`${record.offset} ${record.key} ${record.value}`)
      await consumer.commit(record)
    }
  }
  await run('paid')
  await run('sent')
  expect(found).toEqual(['0 o-17 paid', '1 o-17 sent'])
})

test('the engine below it can be used by itself', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path)
  const orders = await directory.createLog('orders', 0)
  const { baseOffset } = await orders.append({ key: 'o-17', value: 'paid' })
  const found: string[] = []
  for await (const record of orders.reader({ from: baseOffset }).records()) {
    found.push(`${record.offset} ${record.key} ${record.value}`)
  }
  expect(found).toEqual(['0 o-17 paid'])
})

test('everything that the engine shows to programs is there', () => {
  const missing = Object.keys(log).filter((name) => !Object.hasOwn(varve, name))
  expect(missing, 're-export them from packages/varve/src/index.ts').toEqual([])
})

test('the public names are these', () => {
  expect(Object.keys(varve).sort()).toMatchSnapshot()
})

test('the public names of serving are these', () => {
  expect(Object.keys(serving).sort()).toEqual([
    'CertificateError',
    'CorruptServerStateError',
    'InsecureListenerError',
    'ListenError',
    'UnknownAclError',
    'configureServer',
    'parseProperties',
    'readSecurity',
    'securityOf',
    'securityOfCluster',
    'startServer',
  ])
})
