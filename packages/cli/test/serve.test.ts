import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { ShownPage } from '../src/serve/shown-page.ts'
import { type CapturedIo, captureIo, run } from './captured-io.ts'

interface Serving {
  readonly io: CapturedIo
  readonly ended: Promise<number>
  stop(): Promise<number>
}

/** Runs the verb until it has said where it serves. */
async function serving(...argv: readonly string[]): Promise<Serving> {
  const controller = new AbortController()
  const io = captureIo({ signal: controller.signal })
  const ended = main(['serve', '--listen', 'localhost:0', ...argv], io)
  const hasEnded = ended.then(() => Promise.reject(new Error(io.stderr.text)))
  const said = expect.poll(() => io.stdout.text, { timeout: 20_000 }).toMatch(/serving/i)
  await Promise.race([said, hasEnded])
  hasEnded.catch(() => undefined)
  return {
    ...{ io, ended },
    stop: () => {
      controller.abort()
      return ended
    },
  }
}

function portIn(text: string): number {
  return Number(/localhost:(\d+)/.exec(text)?.[1])
}

test('serves until it is stopped, and leaves the directory as a clean shutdown does', async () => {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  const server = await serving('--data', data)
  expect(server.io.stdout.text).toMatch(/^Serving .*data on localhost:\d+\n$/)
  const socket = connect(portIn(server.io.stdout.text), 'localhost')
  await new Promise((resolve) => socket.once('connect', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  expect(await server.stop()).toBe(0)
  await closed
  expect(existsSync(`${data}/.kafka_cleanshutdown`)).toBe(true)
  expect(server.io.stderr.text).toContain('stopped')
})

test('in memory, with lines for machines and settings from a file', async () => {
  using temporary = makeTemporaryDirectory()
  const config = `${temporary.path}/server.properties`
  writeFileSync(config, 'num.partitions=4\nnum.io.threads=8\n')
  const server = await serving('--memory', '--json', '--http', '127.0.0.1:0', '--config', config)
  const [ignored, said] = server.io.stdout.documents
  expect(ignored).toMatchObject({ level: 'info', settings: ['num.io.threads'] })
  expect(said).toMatchObject({ msg: 'serving', memory: true })
  expect(said.bootstrapServers).toMatch(/^localhost:\d+$/)
  const port = said.httpAddress.split(':').at(-1)
  const health = await fetch(`http://127.0.0.1:${port}/ready`)
  expect(health.status).toBe(200)
  expect(await server.stop()).toBe(0)
})

test('a directory that its configuration names is said', async () => {
  using temporary = makeTemporaryDirectory()
  const [config, data] = [`${temporary.path}/server.properties`, `${temporary.path}/data`]
  writeFileSync(config, `log.dirs=${data}\n`)
  const server = await serving('--config', config)
  expect(server.io.stdout.text).toMatch(/^Serving \S+\/data on localhost:\d+\n$/)
  await server.stop()
  const told = await serving('--config', config, '--json')
  expect(told.io.stdout.documents[0]).toMatchObject({ msg: 'serving', data, memory: false })
  await told.stop()
})

test('a listener that lets everybody in is refused, in words of the command', async () => {
  const { code, err } = await run('serve', '--memory', '--listen', '0.0.0.0:0')
  expect(code).toBe(3)
  expect(err).toContain('or say that it is meant: --allow-anonymous-network-clients\n')
  expect(err).not.toContain('allowsAnonymousNetworkClients')
})

test('a directory that somebody else has open, and a port that is taken, are failures', async () => {
  using temporary = makeTemporaryDirectory()
  const first = await serving('--data', temporary.path)
  const locked = await run('serve', '--data', temporary.path, '--listen', 'localhost:0')
  expect(locked.code).toBe(3)
  const address = `localhost:${portIn(first.io.stdout.text)}`
  const taken = await run('serve', '--memory', '--listen', address)
  expect(taken).toMatchObject({ code: 3, err: expect.stringContaining(address) })
  await first.stop()
})

test('certificates are read again when the user asks for it', async () => {
  const controller = new AbortController()
  let hangUp: (() => void) | null = null
  const io = captureIo({
    signal: controller.signal,
    onHangUp: (callback) => {
      hangUp = callback
      return () => {
        hangUp = null
      }
    },
  })
  const ended = main(['serve', '--memory', '--listen', 'localhost:0', '--json'], io)
  await expect.poll(() => hangUp, { timeout: 20_000 }).not.toBeNull()
  ;(hangUp as (() => void) | null)?.()
  expect(io.stdout.documents.at(-1)).toMatchObject({ listeners: [] })
  controller.abort()
  expect(await ended).toBe(0)
  expect(hangUp).toBeNull()
})

test('mistakes in the arguments are told as such', async () => {
  expect((await run('serve')).code).toBe(2)
  expect((await run('serve', '--memory', '--listen', 'x')).code).toBe(2)
  expect((await run('serve', '--memory', '--set', 'foo=1')).code).toBe(2)
})

test('the page is served where it is asked for, and shows a repository', async () => {
  using temporary = makeTemporaryDirectory()
  const repository = `${temporary.path}/backup`
  expect((await run('backup', 'init', repository)).code).toBe(0)
  const page = ['--http', '127.0.0.1:0', '--ui-repository', repository, '--ui-writes']
  const server = await serving('--memory', ...page)
  const url = /HTTP on (\S+\/ui\/)/.exec(server.io.stdout.text)?.[1] ?? ''
  expect(await (await fetch(url)).text()).toContain('<title>Varve</title>')
  expect(await (await fetch(`${url}api/session`)).json()).toMatchObject({ writes: true })
  expect(await (await fetch(`${url}api/backups`)).json()).toMatchObject({
    repositories: [{ name: repository }],
  })
  expect(await server.stop()).toBe(0)
})

test('without a page none is made, and a repository that is not there is a failure', async () => {
  const nothing = { ui: false, uiWrites: false, uiRepositories: [] }
  await using page = await ShownPage.open(nothing)
  expect(page.options).toBeNull()
  using temporary = makeTemporaryDirectory()
  const missing = await run('serve', '--memory', '--ui-repository', `${temporary.path}/none`)
  expect(missing.code).toBe(3)
})
