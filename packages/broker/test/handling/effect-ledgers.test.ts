import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { InvalidTopicError } from '../../src/base/broker-errors.ts'
import { openDataDirectory } from '../../src/directory-varve.ts'
import { onceOnly } from '../../src/handling/once-only.ts'
import { errorOf, newMachine, openOn, turns } from '../broker-fixture.ts'

test('the effects of a name are remembered over a restart, and by everybody who asks', async () => {
  const machine = newMachine()
  const done: number[] = []
  for (let life = 0; life < 2; life++) {
    await using varve = await openOn(machine)
    if (life === 0) {
      await varve.createTopic('orders')
      await varve.producer().send('orders', [{ value: 'a' }, { value: 'b' }])
    }
    const ledger = await varve.effectLedger('billing')
    expect(await varve.effectLedger('billing')).toBe(ledger)
    const handler = onceOnly(({ offset }) => void done.push(offset), { ledger })
    await varve.consumer({ topics: ['orders'], follow: false }).run({ handler })
    expect((await varve.describeTopic('billing.effects')).settings.cleanupPolicy).toEqual([
      'compact',
    ])
  }
  expect(done).toEqual([0, 1])
})

test('what is older than the retention time is forgotten as time goes by', async () => {
  const machine = newMachine()
  await using varve = await openOn(machine)
  const ledger = await varve.effectLedger('billing', { retentionMs: 4_000_000 })
  await ledger.run('early', () => undefined)
  machine.clock.advance(3_600_000)
  await turns()
  await ledger.run('late', () => undefined)
  machine.clock.advance(3_600_000)
  await turns()
  expect(ledger.size).toBe(1)
  expect(await ledger.run('late', () => undefined)).toBe(false)
  expect(await ledger.run('early', () => undefined)).toBe(true)
})

test('what cannot be a ledger is refused; one whose topic was deleted begins anew', async () => {
  await using varve = await openOn(newMachine())
  await errorOf(varve.effectLedger(''), InvalidArgumentError)
  await errorOf(varve.effectLedger('../x'), InvalidTopicError)
  await errorOf(varve.effectLedger('a', { retentionMs: 0 }), InvalidArgumentError)
  await varve.createTopic('short.effects', { retentionMs: 5 })
  await errorOf(varve.effectLedger('short'), InvalidArgumentError)
  const ledger = await varve.effectLedger('a')
  await ledger.run('x', () => undefined)
  await varve.deleteTopic('a.effects')
  expect((await varve.effectLedger('a')).size).toBe(0)
})

describe('a ledger whose topic is opened again', () => {
  test('goes on, and remembers what had been done', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    const ledger = await varve.effectLedger('billing')
    await ledger.run('a', () => undefined)
    await varve.reopenPartition('billing.effects', 0)
    expect(await ledger.run('a', () => undefined)).toBe(false)
    expect(await ledger.run('b', () => undefined)).toBe(true)
    expect(ledger.size).toBe(2)
    expect(await varve.effectLedger('billing')).toBe(ledger)
  })

  test('after a failed note knows whether it arrived, and does no effect again that it has', async () => {
    const seed = seedFromEnvironment('reopened ledgers')
    const random = new Random(seed)
    let outcomes = 0
    for (let run = 0; run < 40; run++) {
      const machine = newMachine()
      await using varve = await openOn(machine)
      const ledger = await varve.effectLedger('billing')
      const effects: string[] = []
      const bill = (id: string) => ledger.run(id, () => void effects.push(id))
      await bill('before')
      machine.fs.injectFault({ kind: 'EIO', after: random.int(4), isLasting: true })
      const isTold = await bill('during').then(
        () => true,
        () => false,
      )
      machine.fs.clearFaults()
      await varve.reopenPartition('billing.effects', 0)
      const isAgain = await bill('during')
      if (isTold) expect(isAgain).toBe(false)
      else outcomes |= isAgain ? 1 : 2
      expect(await bill('before')).toBe(false)
      expect(effects).toEqual(['before', 'during', ...(isAgain ? ['during'] : [])])
      const log = varve.log('billing.effects', 0)
      const notes: string[] = []
      for await (const { key } of log.reader({ from: 0 }).records()) notes.push(String(key))
      expect(notes).toEqual(['before', 'during'])
    }
    // Both happen: a note that arrived though writing it was told to have failed, and one that not.
    expect(outcomes).toBeGreaterThan(0)
  })

  test('forgets by the clock as before', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    const ledger = await varve.effectLedger('billing', { retentionMs: 1000 })
    await ledger.run('a', () => undefined)
    machine.clock.advance(600)
    await varve.reopenPartition('billing.effects', 0)
    await ledger.run('b', () => undefined)
    machine.clock.advance(600)
    expect(await ledger.expire()).toBe(1)
    expect(ledger.size).toBe(1)
  })
})

test('killed again and again, each effect happens, at most the one under way twice', async () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/data`
  const records = 60
  {
    await using varve = await openDataDirectory(path, { cleaning: false })
    await varve.createTopic('orders')
    const values = Array.from({ length: records }, (_, index) => ({ value: `${index}` }))
    await varve.producer().send('orders', values)
  }
  const effects: number[] = []
  let kills = 0
  for (let isOver = false; !isOver; ) {
    const script = fileURLToPath(new URL('./biller.mjs', import.meta.url))
    // Without the flags of this process, which would have it load TypeScript.
    const child = spawn(process.execPath, [script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    })
    let seen = 0
    createInterface(child.stdout).on('line', (line) => {
      effects.push(Number(line))
      seen += 1
      if (seen === 15) child.kill('SIGKILL')
    })
    const [code, signal] = await once(child, 'close')
    if (signal === 'SIGKILL') kills += 1
    else expect(code).toBe(0)
    isOver = signal === null
  }
  expect(kills).toBeGreaterThanOrEqual(2)
  expect(new Set(effects).size).toBe(records)
  expect(effects.length - records).toBeLessThanOrEqual(kills)
})
