import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resolveConnectionLimits } from '../../src/base/connection-limits.ts'
import { resolveListener } from '../../src/base/listener-options.ts'
import { ServerState } from '../../src/base/server-state.ts'
import { Logins } from '../../src/security/logins.ts'
import { SecurityStore } from '../../src/security/security-store.ts'

test('only listeners of SASL have clients log in', () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const { users } = new SecurityStore(ServerState.load(fs, '/data'))
  const logins = new Logins(users, resolveConnectionLimits({}), new ManualClock())
  expect(logins.of(resolveListener({ protocol: 'PLAINTEXT' }))).toBeNull()
  expect(logins.of(resolveListener({ protocol: 'SASL_PLAINTEXT' }))).not.toBeNull()
})
