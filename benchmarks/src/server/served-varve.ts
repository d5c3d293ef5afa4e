import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../../packages/varve/bin/varve.js', import.meta.url))
const startMsMax = 20_000

/** A data directory that `varve serve` serves in a process of its own. */
export interface ServedVarve {
  readonly port: number
  readonly pid: number
  /** From the start of the process until a client could connect. */
  readonly startSeconds: number
  stop(): Promise<void>
}

export async function serveVarve(directory: string): Promise<ServedVarve> {
  const port = await freePort()
  const before = performance.now()
  const args = [command, 'serve', '--data', directory, '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  await reachable(port, child)
  const startSeconds = (performance.now() - before) / 1000
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  return { port, pid: child.pid ?? 0, startSeconds, stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function reachable(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startMsMax
  while (performance.now() < deadline && child.exitCode === null) {
    const socket = connect({ host: '127.0.0.1', port })
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await pause(5)
  }
  throw new Error(`varve serve is not to be reached at port ${port}`)
}
