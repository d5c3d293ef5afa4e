import { readSecret } from '../backup/repository-access.ts'
import { type CommandIo, InterruptedError, UsageError } from '../command-io.ts'

/** No password is as long. */
const passwordBytesMax = 64 * 1024
const hint =
  'Type it at a terminal, or give it as the first line of the input or of --password-file.'

/**
 * A new password: the first line of a file, or of standard input; at a terminal it is asked for,
 * twice, and not shown. There is no option for it: what stands on a command line can be read by
 * everybody on the machine, and stays in the shell's history.
 *
 * Rejects with UsageError, InvalidArgumentError, InterruptedError.
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
  throw new UsageError('The two passwords are not the same.', 'Nothing was changed.')
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
  if (line === '') {
    throw new UsageError(`There is no password on the first line of ${where}.`, hint)
  }
  if (Buffer.byteLength(line) <= passwordBytesMax) return line
  throw new UsageError(`The first line of ${where} is too long for a password.`, hint)
}
