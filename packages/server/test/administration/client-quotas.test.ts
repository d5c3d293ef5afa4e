import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test, vi } from 'vitest'
import {
  ClientQuotas,
  entityOf,
  isQuotaEntityType,
} from '../../src/administration/client-quotas.ts'
import { checkQuotaFilter } from '../../src/administration/quota-filter.ts'
import { CorruptServerStateError, RequestRefusedError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'

function emptyState(): ServerState {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  return ServerState.load(fs, '/data')
}

test('no more entities have quotas than the file of the state holds', async () => {
  const state = emptyState()
  const many = Array.from({ length: 5000 }, (_, index) => {
    return { entity: { user: `u${index}` }, values: { request_percentage: 1 } }
  })
  await state.update('quotas', () => many)
  const quotas = ClientQuotas.load(state)
  const set = [{ key: 'request_percentage', value: 2, remove: false }]
  const refusals = await quotas.alter([
    { entity: { user: 'one more' }, operations: set },
    { entity: { user: 'u7' }, operations: set },
  ])
  expect(refusals).toEqual([expect.any(RequestRefusedError), null])
  expect(quotas.all).toHaveLength(5000)
  expect(quotas.all[7]?.values).toEqual({ request_percentage: 2 })
})

test('what one request changes is stored once, in its order', async () => {
  const state = emptyState()
  const update = vi.spyOn(state, 'update')
  const quotas = ClientQuotas.load(state)
  const alterations = Array.from({ length: 3000 }, (_, index) => {
    const operations = [{ key: 'request_percentage', value: 1 + index, remove: false }]
    return { entity: { user: `u${index % 2000}` }, operations }
  })
  await quotas.alter(alterations)
  expect(update).toHaveBeenCalledTimes(1)
  expect(quotas.all).toHaveLength(2000)
  expect(quotas.all[0]).toEqual({ entity: { user: 'u0' }, values: { request_percentage: 2001 } })
  await quotas.alter([])
  await quotas.alter(alterations, { validateOnly: true })
  expect(update).toHaveBeenCalledTimes(1)
})

test.each([
  { a: 1 },
  [null],
  [{ entity: { moon: 'x' }, values: {} }],
  [{ entity: { user: 5 }, values: {} }],
  [{ entity: { user: 'u' }, values: { request_percentage: '1' } }],
])('a section that is %j is damage', async (section) => {
  const state = emptyState()
  await state.update('quotas', () => section)
  expect(() => ClientQuotas.load(state)).toThrow(CorruptServerStateError)
})

test('an entity is its parts by type', () => {
  expect(isQuotaEntityType('ip') && !isQuotaEntityType('toString')).toBe(true)
  const parts = [
    { entityType: 'user', entityName: null },
    { entityType: 'client-id', entityName: 'c' },
  ]
  const entity = entityOf(parts)
  expect(entity).toEqual({ user: null, 'client-id': 'c' })
  const matches = checkQuotaFilter([{ entityType: 'user', matchType: 1, match: null }], false)
  expect(matches(entity)).toBe(true)
})
