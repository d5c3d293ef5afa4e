import { expect, test } from 'vitest'
import type { SessionAnswer } from '../../src/ui/answers.ts'
import { pageFiles } from '../../src/ui/page-files.ts'
import { UiRoute } from '../../src/ui/ui-route.ts'
import { ask } from '../http/http-client.ts'
import { queryOf, sendAll, withUi } from './ui-fixture.ts'

/** All of the page, as it is sent to a browser that compresses nothing. */
const pageBytesMax = 100 * 1024

test('the page is a handful of small files, of which nothing is outside', async () => {
  const files = [...pageFiles()]
  const bytes = files.reduce((sum, [, file]) => sum + file.bytes.length, 0)
  expect(bytes).toBeLessThan(pageBytesMax)
  // Indentation is taken out as the files are read: no text of the page may go over lines.
  const modules = files.filter(([name]) => name.endsWith('.js'))
  const texts = modules.flatMap(([, file]) => file.bytes.toString('utf8').split('\n'))
  expect(texts.filter((line) => line.split('`').length % 2 === 0)).toEqual([])
  await withUi(async ({ get }) => {
    for (const [name, file] of files) {
      const { status, headers, text } = await get(name)
      expect({ name, status }).toEqual({ name, status: 200 })
      expect(headers['content-type']).toBe(file.contentType)
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
        /https?:\/\/|@import|url\(/,
      )
    }
    expect((await get('')).text).toContain('<title>Varve</title>')
  })
})

test('a file that a browser has is not sent again', async () => {
  await withUi(async ({ get }) => {
    const { headers } = await get('main.js')
    const again = await get('main.js', { 'if-none-match': String(headers['etag']) })
    expect(again).toMatchObject({ status: 304, text: '' })
  })
})

test('paths that are no file of the page lead nowhere', async () => {
  await withUi(async ({ get, address }) => {
    for (const path of ['../package.json', '..%2fpackage.json', 'x.js', 'main.ts']) {
      expect((await ask(address, `/ui/${path}`)).status).not.toBe(200)
    }
    for (const path of ['api', 'api/', 'api/nothing', 'api/topics/a/b/c', 'api/topics/%ff']) {
      expect((await get(path)).status).toBe(404)
    }
  })
})

test('every answer forbids what is not of the page itself', async () => {
  await withUi(async ({ get }) => {
    for (const path of ['', 'main.js', 'api/session', 'api/nothing']) {
      const { headers } = await get(path)
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|\*|data:/)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      })
    }
  })
})

test('bytes of a record are only ever saved', async () => {
  await withUi(async ({ varve, get }) => {
    await varve.createTopic('t')
    await sendAll(varve, 't', ['<script>harm()</script>'])
    const { headers, text } = await get('api/topics/t/bytes?offset=0')
    expect(text).toBe('<script>harm()</script>')
    expect(headers['content-type']).toBe('application/octet-stream')
    expect(String(headers['content-disposition'])).toMatch(/^attachment/)
  })
})

test('what is not there, and what cannot be read, is an error in words', async () => {
  await withUi(async ({ get, varve }) => {
    await varve.createTopic('t')
    const status = async (path: string): Promise<number> => (await get(`api/${path}`)).status
    expect(await status('topics/nope')).toBe(404)
    expect(await status('groups/nope')).toBe(404)
    expect(await status('topics/t/records?from=x')).toBe(400)
    expect(await status('topics/t/record?offset=5')).toBe(410)
    const { text } = await get('api/topics/nope')
    expect(JSON.parse(text)).toMatchObject({ code: 'VARVE_TOPIC_NOT_FOUND' })
  })
})

test('another site cannot ask, and a link to the page can be followed', async () => {
  await withUi(async ({ get }) => {
    const cross = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
    expect((await get('api/session', cross)).status).toBe(403)
    expect((await get('api/session', { 'sec-fetch-site': 'same-site' })).status).toBe(403)
    expect((await get('api/session', { 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await get('', link)).status).toBe(200)
    expect((await get('api/session', { host: 'evil.example' })).status).toBe(421)
  })
})

test('with a token nothing is told without it', async () => {
  const token = 'a-token-of-enough-length'
  await withUi(
    async ({ get }) => {
      expect((await get('')).status).toBe(401)
      expect((await get('api/session')).status).toBe(401)
      const basic = Buffer.from(`anybody:${token}`).toString('base64')
      expect((await get('', { authorization: `Basic ${basic}` })).status).toBe(200)
      expect((await get('api/session', { authorization: `Bearer ${token}` })).status).toBe(200)
    },
    {},
    { http: { port: 0, token } },
  )
})

test('a page that may change nothing says so, and has no token to give', async () => {
  await withUi(async ({ json, change, context }) => {
    const session = await json<SessionAnswer>('session')
    expect(session).toMatchObject({ writes: false, token: null, health: { status: 'ok' } })
    const { status, text } = await change('create-topic', { topic: 't' })
    expect({ status, text }).toMatchObject({ status: 403 })
    expect(text).toContain('for reading only')
    const route = new UiRoute(context)
    expect(route.path).toBe('/ui/')
    route.close()
    expect(queryOf('limit=7').limit('limit', 1, 5)).toBe(5)
  })
})
