import type { CommittedOffset } from '@varve/broker'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { GroupPrinting } from '../../src/consume/group-printing.ts'

/** A printing whose output can fail, and what it printed and committed. */
function newPrinting() {
  const clock = new ManualClock()
  const state = {
    ...{ printed: [] as number[], committed: [] as number[], failures: [] as unknown[] },
    failsToPrint: false,
  }
  let gathered: number[] = []
  const printing = new GroupPrinting({
    output: {
      isFull: false,
      add: ({ offset }) => void gathered.push(offset),
      flush: async () => {
        const going = gathered
        gathered = []
        if (state.failsToPrint) throw new Error('nobody reads')
        state.printed.push(...going)
      },
    },
    clock,
    commit: async (offsets: readonly CommittedOffset[]) => {
      state.committed.push(...offsets.map(({ offset }) => offset))
    },
    onFailure: (error) => void state.failures.push(error),
  })
  const add = (offset: number): void => {
    const record = { topic: 't', partition: 0, offset, leaderEpoch: -1 }
    printing.add(record as unknown as Parameters<typeof printing.add>[0])
  }
  return { clock, state, printing, add }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('records are printed soon, and committed every few seconds', async () => {
  const { clock, state, printing, add } = newPrinting()
  add(0)
  add(1)
  clock.advance(100)
  await turn()
  expect(state).toMatchObject({ printed: [0, 1], committed: [] })
  for (let time = 0; time < 3000; time += 100) {
    clock.advance(100)
    await turn()
  }
  expect(state.committed).toEqual([2])
  printing.end()
  expect(clock.pendingTimers).toBe(0)
})

test('what could not be printed is not committed', async () => {
  const { clock, state, printing, add } = newPrinting()
  add(0)
  await printing.flush()
  add(1)
  state.failsToPrint = true
  clock.advance(100)
  await turn()
  expect(state.failures).toHaveLength(1)
  state.failsToPrint = false
  await printing.settle()
  expect(state).toMatchObject({ printed: [0], committed: [1] })
})
