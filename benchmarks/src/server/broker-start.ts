import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { WireClient } from './wire-client.ts'

const startMsMax = 90_000
const askEveryMs = 5
/** Of what a broker says, for the message when it does not serve. */
const keptChars = 4096

/** A broker that is a child of this process. */
export interface StartedBroker {
  readonly port: number
  readonly pid: number
  /** From the start of the process until it had answered a client that asked for brokers. */
  readonly startSeconds: number
  /** Ends it as its user would (SIGTERM), and waits. */
  stop(): Promise<void>
}

/** Starts a program that is going to listen at a port, and waits until it serves. */
export async function startBrokerProgram(
  command: string,
  args: readonly string[],
  port: number,
): Promise<StartedBroker> {
  const before = performance.now()
  // Some end by themselves when their standard input does, so that they outlive nobody.
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptChars)
  })
  await untilServing(port, child).catch((error: Error) => {
    throw new Error(`${error.message}:\n${said}`)
  })
  const startSeconds = (performance.now() - before) / 1000
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  return { port, pid: child.pid ?? 0, startSeconds, stop }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function untilServing(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startMsMax
  while (performance.now() < deadline && child.exitCode === null) {
    if (await isServing(port)) return
    await pause(askEveryMs)
  }
  throw new Error(`${child.spawnargs[0]} is not to be reached at port ${port}`)
}

async function isServing(port: number): Promise<boolean> {
  const client = await WireClient.connect(port).catch(() => null)
  if (client === null) return false
  try {
    return await client.isServing()
  } catch {
    return false
  } finally {
    client.close()
  }
}
