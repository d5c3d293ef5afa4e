import { expect, test } from 'vitest'
import { isListenerSetting, listenersOf } from '../../src/properties/listener-properties.ts'

const of = (settings: Record<string, string>): ReturnType<typeof listenersOf> =>
  listenersOf(new Map(Object.entries(settings)))

test('a key store is PEM or PKCS #12, told by its name where nothing is said', () => {
  const listeners = 'SSL://localhost:1'
  const tls = (path: string) => of({ listeners, 'ssl.keystore.location': path })?.[0]?.tls
  expect(tls('/a.pem')).toEqual({ certificateFile: '/a.pem', clientCertificates: 'none' })
  expect(tls('/a.p12')).toEqual({ pfxFile: '/a.p12', clientCertificates: 'none' })
  expect(() => tls('/a.jks')).toThrow(/PEM or PKCS12/)
  expect(() => of({ listeners })).toThrow(/ssl\.keystore\.location/)
  const bad = { listeners, 'ssl.keystore.location': '/a.pem', 'ssl.client.auth': 'maybe' }
  expect(() => of(bad)).toThrow(/ssl\.client\.auth/)
})

test('whoever wants anonymous clients of the network has to say so', () => {
  const listeners = 'PLAINTEXT://0.0.0.0:1'
  expect(of({ listeners })?.[0]?.allowsAnonymousNetworkClients).toBeUndefined()
  const allowed = of({ listeners, 'allow.anonymous.network.clients': 'true' })
  expect(allowed?.[0]?.allowsAnonymousNetworkClients).toBe(true)
})

test('settings of one listener are known by what they set', () => {
  expect(isListenerSetting('listener.name.internal.ssl.client.auth')).toBe(true)
  expect(isListenerSetting('listener.name.internal.num.partitions')).toBe(false)
  const map = { listeners: 'A://localhost:1', 'listener.security.protocol.map': 'A:TLS' }
  expect(() => of(map)).toThrow(/PLAINTEXT, SSL/)
})
