import { generatePayload, type Payload, payloadOfFile } from '@varve/bench'
import { InvalidArgumentError } from '@varve/record'
import { readGivenFile } from '../given-file.ts'
import { requireCount } from '../option-checks.ts'
import type { PayloadOptions } from './bench-options.ts'
import { parseByteSize } from './byte-size.ts'

/** One batch holds it, with room for what is around it. */
const recordBytesMax = 2 ** 28

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\\\': '\\' }

/** What records are made of, as the arguments have it. Throws InvalidArgumentError. */
export function payloadFor(options: PayloadOptions, seed: number): Payload {
  requireCount('seed', seed, 0)
  const { payloadFile, payloadDelimiter } = options
  if (payloadFile !== null) {
    const delimiter = payloadDelimiter.replace(/\\[nt\\]/g, (mark) => escapes[mark] ?? mark)
    return payloadOfFile(readGivenFile('--payload-file', payloadFile), delimiter, payloadFile)
  }
  const recordBytes = parseByteSize('--record-size', options.recordSize)
  if (recordBytes > recordBytesMax) {
    throw new InvalidArgumentError('--record-size', options.recordSize, 'must be 256 MiB or less')
  }
  return generatePayload(options.payload, recordBytes, seed)
}
