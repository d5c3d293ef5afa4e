import { fileURLToPath } from 'node:url'
import { freePort, type StartedBroker, startBrokerProgram } from './broker-start.ts'

const command = fileURLToPath(new URL('../../../packages/varve/bin/varve.js', import.meta.url))

/** A data directory that `varve serve` serves, as its user starts it, in a process of its own. */
export async function serveVarve(directory: string): Promise<StartedBroker> {
  const port = await freePort()
  const args = [command, 'serve', '--data', directory, '--listen', `127.0.0.1:${port}`]
  return await startBrokerProgram(process.execPath, args, port)
}
