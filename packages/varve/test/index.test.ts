import * as log from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import * as varve from '../src/index.ts'

test('the example of the module runs as it stands there', async () => {
  using temporary = makeTemporaryDirectory()
  const found: string[] = []
  {
    await using directory = await varve.LogDirectory.open(temporary.path)
    const orders = directory.logs.get('orders-0') ?? (await directory.createLog('orders', 0))
    const { baseOffset } = await orders.append({ key: 'o-17', value: 'paid' })
    for await (const record of orders.reader({ from: baseOffset }).records()) {
      found.push(`${record.offset} ${record.key} ${record.value}`)
    }
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
