import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { RequestRefusedError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'

test('more than could be read again is not kept', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const state = ServerState.load(fs, '/data')
  await state.update('quotas', () => ['kept'])
  const updating = state.update('quotas', () => ['x'.repeat(32 * 2 ** 20)])
  await expect(updating).rejects.toThrow(RequestRefusedError)
  expect(state.section('quotas')).toEqual(['kept'])
  expect(ServerState.load(fs, '/data').section('quotas')).toEqual(['kept'])
})
