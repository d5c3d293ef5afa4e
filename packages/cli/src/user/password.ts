import { InvalidArgumentError } from '@varve/record'
import { readSecret } from '../backup/repository-access.ts'
import { type CommandIo, InterruptedError } from '../command-io.ts'

/** No password is as long. */
const passwordBytesMax = 64 * 1024

/**
 * A new password: the first line of a file, or of standard input; at a terminal it is asked for,
 * twice, and not shown. There is no option for it: what stands on a command line can be read by
 * everybody on the machine, and stays in the shell's history.
 *
 * Rejects with InvalidArgumentError, InterruptedError.
 */
export async function newPassword(
  user: string,
  passwordFile: string | null,
  io: CommandIo,
): Promise<string> {
  if (passwordFile !== null) {
    const text = readSecret('password-file', passwordFile).toString('utf8')
    return firstLine('--password-file', text)
  }
  if (!io.stdin.isTerminal) return firstLine('the input', await startOf(io))
  const password = await io.readSecret(`Password for ${user}: `)
  const again = await io.readSecret('The same again: ')
  if (password === again) return firstLine('password', password)
  throw new InvalidArgumentError('password', 'not shown', 'the two are not the same')
}

async function startOf(io: CommandIo): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of io.stdin.chunks()) {
    chunks.push(chunk)
    bytes += chunk.length
    if (chunk.includes(0x0a) || bytes > passwordBytesMax) break
  }
  if (io.signal.aborted) throw new InterruptedError()
  return Buffer.concat(chunks).toString('utf8')
}

function firstLine(where: string, text: string): string {
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '') throw new InvalidArgumentError(where, 'not shown', 'has no password on line 1')
  if (Buffer.byteLength(line) <= passwordBytesMax) return line
  throw new InvalidArgumentError(where, 'not shown', 'has a line that is no password')
}
