import { connect } from 'node:net'
import { LeashedProcess } from '../kafka/leashed-process.ts'
import { leashedArguments, type UnpackedPackages } from './debian-packages.ts'

/** How a server is reached, and by whom. */
export interface S3Access {
  readonly name: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A server on the loopback interface, made of processes that end with this one. */
export interface S3Server {
  readonly access: S3Access
  /** Ends it as a crash would: what it holds is nobody's. */
  stop(): Promise<void>
}

export function startLeashed(
  packages: UnpackedPackages,
  program: string,
  args: readonly string[],
): LeashedProcess {
  const child = new LeashedProcess(program, 'setpriv', leashedArguments(packages, program, args))
  // What it prints there is not kept, and must not fill the pipe.
  child.onLine(() => {})
  return child
}

/** Resolves when something listens on a port; rejects when what should has ended before. */
export async function waitForPort(
  child: LeashedProcess,
  port: number,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isListening(port))) {
    if (!child.isRunning) {
      await child.ended
      throw new Error(`it has ended:\n${child.printed}`)
    }
    if (performance.now() > deadline) {
      await child.kill()
      throw new Error(`nothing listens after ${timeoutMs} ms:\n${child.printed}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
