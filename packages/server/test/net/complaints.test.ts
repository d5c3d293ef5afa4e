import { silentLogger } from '@varve/broker/serving'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Complaints } from '../../src/net/complaints.ts'

function make() {
  const lines: { fields: object; message: string }[] = []
  const warn = (fields: object, message: string) => lines.push({ fields, message })
  const clock = new ManualClock()
  return { lines, clock, complaints: new Complaints({ ...silentLogger, warn }, clock) }
}

test('of many complaints some are written, and how many were left out', () => {
  const { lines, clock, complaints } = make()
  for (let count = 0; count < 1000; count++) complaints.warn({ count }, 'closed')
  complaints.warn({}, 'refused')
  expect(lines).toHaveLength(21)
  clock.advance(10_000)
  expect(lines.at(-1)).toEqual({
    fields: { leftOut: 980 },
    message: 'more often than is written: closed',
  })
  complaints.warn({ count: 0 }, 'closed')
  expect(lines).toHaveLength(23)
})

test('what was left out is told at the end too', () => {
  const { lines, complaints } = make()
  for (let count = 0; count < 22; count++) complaints.warn({}, 'closed')
  complaints.close()
  complaints.close()
  expect(lines.map(({ fields }) => fields).at(-1)).toEqual({ leftOut: 2 })
  expect(lines).toHaveLength(21)
})
