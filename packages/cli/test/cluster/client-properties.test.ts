import { expect, test } from 'vitest'
import { clientOptionsOf } from '../../src/cluster/client-properties.ts'
import { openCluster } from '../../src/cluster/open-cluster.ts'

test('nothing said is a plain connection', () => {
  expect(clientOptionsOf('')).toEqual({ isTls: false, cluster: {} })
  expect(clientOptionsOf('security.protocol=SSL')).toEqual({ isTls: true, cluster: { tls: {} } })
})

test('what cannot be understood is refused, without the password', () => {
  expect(() => clientOptionsOf('security.protocol=TLS')).toThrow(/security\.protocol/)
  const sasl = 'security.protocol=SASL_SSL\nsasl.jaas.config=password="secret"'
  expect(() => clientOptionsOf(sasl)).toThrow(/^(?!.*secret).*username/)
  expect(() => clientOptionsOf(`${sasl}\nsasl.mechanism=GSSAPI`)).toThrow(/sasl\.mechanism/)
})

test('an address that is none is refused', async () => {
  const place = { bootstrapServer: 'a b', commandConfig: null }
  await expect((async () => openCluster(place))()).rejects.toThrow(/host:port|host/)
})
