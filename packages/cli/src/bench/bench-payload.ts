import { readFileSync } from 'node:fs'
import { generatePayload, type Payload, payloadOfFile } from '@varve/bench'
import type { PayloadOptions } from './bench-options.ts'
import { parseByteSize } from './byte-size.ts'

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\\\': '\\' }

/** What records are made of, as the arguments have it. Throws InvalidArgumentError. */
export function payloadFor(options: PayloadOptions, seed: number): Payload {
  const { payloadFile, payloadDelimiter } = options
  if (payloadFile !== null) {
    const delimiter = payloadDelimiter.replace(/\\[nt\\]/g, (mark) => escapes[mark] ?? mark)
    return payloadOfFile(readFileSync(payloadFile), delimiter, payloadFile)
  }
  return generatePayload(options.payload, parseByteSize('--record-size', options.recordSize), seed)
}
