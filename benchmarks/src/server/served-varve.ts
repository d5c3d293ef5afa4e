import { fileURLToPath } from 'node:url'
import { freePort, type StartedBroker, startBrokerProgram } from './broker-start.ts'

const command = fileURLToPath(new URL('../../../packages/varve/bin/varve.js', import.meta.url))

/**
 * Ends it with whoever started it, however that ends: its standard input does then. Loaded before
 * the command, which knows nothing of it, and keeps nothing alive.
 */
const endsWithParent =
  "data:text/javascript,process.stdin.on('end',()=>process.kill(process.pid)).resume().unref()"

/** A data directory that `varve serve` serves, as its user starts it, in a process of its own. */
export async function serveVarve(directory: string): Promise<StartedBroker> {
  const port = await freePort()
  const node = ['--import', endsWithParent, command]
  const args = [...node, 'serve', '--data', directory, '--listen', `127.0.0.1:${port}`]
  return await startBrokerProgram(process.execPath, args, port)
}
