import { silentLogger } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { resolveHttpOptions } from '../../src/base/http-options.ts'
import { HttpListener } from '../../src/http/http-listener.ts'
import { type HttpRoute, sendJson, sendText } from '../../src/http/http-route.ts'
import { ask } from './http-client.ts'

const token = 'a-token-of-enough-length'

const routes: readonly HttpRoute[] = [
  {
    path: '/open',
    methods: ['GET'],
    isOpen: true,
    handle: (it) => sendJson(it, 200, it.isTrusted),
  },
  { path: '/ui/', methods: ['GET', 'POST'], handle: (it) => sendText(it, 200, it.url.pathname) },
  { path: '/ui/api/', methods: ['GET'], handle: (it) => sendText(it, 200, 'the longer one') },
  {
    ...{ path: '/broken', methods: ['GET'] },
    handle: () => {
      throw new Error('as the test wants it')
    },
  },
]

async function listening(
  use: (address: string) => Promise<void>,
  options: { readonly token?: string } = {},
): Promise<void> {
  const resolved = resolveHttpOptions({ port: 0, ...options })
  const listener = await HttpListener.open(resolved, routes, silentLogger)
  try {
    await use(listener.address)
  } finally {
    await listener.close()
  }
}

test('a path is answered by its route, and what lies below by the longest', async () => {
  await listening(async (address) => {
    expect((await ask(address, '/ui/some/thing?x=1')).text).toBe('/ui/some/thing')
    expect((await ask(address, '/ui/api/thing')).text).toBe('the longer one')
    expect((await ask(address, '/uiX')).status).toBe(404)
    expect((await ask(address, '//evil/ui/')).status).toBe(404)
  })
})

test('HEAD is answered with headers alone, and what a route does not do is refused', async () => {
  await listening(async (address) => {
    const head = await ask(address, '/ui/', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '4' } })
    const refused = await ask(address, '/ui/', { method: 'DELETE' })
    expect(refused).toMatchObject({ status: 405, headers: { allow: 'GET, POST, HEAD' } })
  })
})

test('a route that throws is a 500 that does not say why', async () => {
  await listening(async (address) => {
    const { status, text } = await ask(address, '/broken')
    expect(status).toBe(500)
    expect(text).not.toContain('as the test wants it')
  })
})

test('with a token, only open routes answer without it', async () => {
  await listening(
    async (address) => {
      expect(await ask(address, '/open')).toMatchObject({ status: 200, text: 'false\n' })
      const refused = await ask(address, '/ui/')
      expect(refused.status).toBe(401)
      expect(refused.headers['www-authenticate']).toContain('Basic')
      expect((await ask(address, '/nothing')).status).toBe(401)
      const basic = `Basic ${Buffer.from(`any:${token}`).toString('base64')}`
      for (const authorization of [`Bearer ${token}`, basic]) {
        expect((await ask(address, '/ui/', { headers: { authorization } })).status).toBe(200)
      }
      for (const authorization of [`Bearer ${token}x`, 'Basic !', 'Bearer', `Digest ${token}`]) {
        expect((await ask(address, '/ui/', { headers: { authorization } })).status).toBe(401)
      }
    },
    { token },
  )
})

test('without a token, only what names this machine is answered', async () => {
  await listening(async (address) => {
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:80']) {
      expect((await ask(address, '/ui/', { headers: { host } })).status).toBe(200)
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example']) {
      expect((await ask(address, '/ui/', { headers: { host } })).status).toBe(421)
    }
  })
})

test('others than this machine are listened to with a token only', () => {
  expect(() => resolveHttpOptions({ host: '0.0.0.0' })).toThrow(InvalidArgumentError)
  expect(() => resolveHttpOptions({ host: '::' })).toThrow(InvalidArgumentError)
  expect(() => resolveHttpOptions({ host: '0.0.0.0', token: 'short' })).toThrow(/16 characters/)
  expect(resolveHttpOptions({ host: '0.0.0.0', token }).host).toBe('0.0.0.0')
  expect(resolveHttpOptions({ host: '::1' }).tokenHash).toBeNull()
})

test('a port that is taken is told', async () => {
  await listening(async (address) => {
    const port = Number(address.split(':').at(-1))
    const again = HttpListener.open(resolveHttpOptions({ port }), routes, silentLogger)
    await expect(again).rejects.toMatchObject({ code: 'VARVE_LISTEN' })
  })
})
