import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { resolveConnectionLimits } from '../../src/base/connection-limits.ts'
import { type ListenerOptions, resolveListener } from '../../src/base/listener-options.ts'
import { InsecureListenerError } from '../../src/base/server-errors.ts'
import { resolveServerOptions } from '../../src/base/server-options.ts'

const tls = { certificateFile: 'server.pem' }

test.each([
  { host: '0.0.0.0' },
  { host: '::' },
  { host: 'broker.example.com' },
  { host: '127.0.0.1.example.com' },
  { host: '10.0.0.1', protocol: 'SSL', tls },
  { host: '10.0.0.1', protocol: 'SSL', tls: { ...tls, clientCertificates: 'requested' } },
] satisfies ListenerOptions[])(
  'whoever listens for others has to ask who they are: %o',
  (options) => {
    expect(() => resolveListener(options)).toThrow(InsecureListenerError)
    expect(() => resolveListener({ ...options, allowsAnonymousNetworkClients: true })).not.toThrow()
  },
)

test.each([
  {},
  { host: 'localhost' },
  { host: '::1' },
  { host: '127.1.2.3' },
  { host: '0.0.0.0', protocol: 'SASL_PLAINTEXT' },
  { host: '0.0.0.0', protocol: 'SASL_SSL', tls },
  { host: '0.0.0.0', protocol: 'SSL', tls: { ...tls, clientCertificates: 'required' } },
] satisfies ListenerOptions[])('these listeners are safe to have: %o', (options) => {
  expect(() => resolveListener(options)).not.toThrow()
})

test.each([
  { protocol: 'TLS' as 'SSL' },
  { protocol: 'SSL' },
  { protocol: 'SSL', tls: {} },
  { protocol: 'SSL', tls: { ...tls, pfxFile: 'server.p12' } },
  { tls },
  { saslMechanisms: ['PLAIN'] },
  { protocol: 'SASL_PLAINTEXT', saslMechanisms: [] },
  { protocol: 'SASL_PLAINTEXT', saslMechanisms: ['GSSAPI' as 'PLAIN'] },
  { port: 65_536 },
  { advertisedPort: 0 },
] satisfies ListenerOptions[])('options that do not belong together are refused: %o', (options) => {
  expect(() => resolveListener(options)).toThrow(InvalidArgumentError)
})

test('a listener is named like its protocol, unless it has a name', () => {
  expect(resolveListener({ protocol: 'SASL_PLAINTEXT' }).name).toBe('SASL_PLAINTEXT')
  expect(resolveListener({ name: 'INSIDE' }).name).toBe('INSIDE')
})

test('limits are whole numbers, with a default for each', () => {
  expect(resolveConnectionLimits({ connectionsMax: 40 })).toMatchObject({
    ...{ connectionsMax: 40, connectionsPerAddressMax: 40, newcomersMax: 10 },
  })
  for (const limits of [{ connectionsMax: 0 }, { slowMsMax: 1.5 }, { loginLifetimeMs: -1 }]) {
    expect(() => resolveConnectionLimits(limits)).toThrow(InvalidArgumentError)
  }
})

test('super users are principals', () => {
  expect(resolveServerOptions({ superUsers: ['User:admin'] }).superUsers).toEqual(['User:admin'])
  expect(() => resolveServerOptions({ superUsers: ['admin'] })).toThrow(InvalidArgumentError)
})
