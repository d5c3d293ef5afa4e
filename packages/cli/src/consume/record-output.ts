import type { LogRecord } from '@varve/record'
import type { Output } from '../command-io.ts'
import { LineOutput } from '../output.ts'
import { utf8Text } from '../utf8.ts'

/** What of a record is printed. */
type PrintedRecord = Pick<LogRecord, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>

/** Records on their way out; see LineOutput for `isFull` and `flush`. */
export interface RecordOutput {
  readonly isFull: boolean
  /** `partition`: where several are mixed, and it has to be said. */
  add(record: PrintedRecord, partition?: number): void
  flush(): Promise<void>
}

const gatheredBytesMax = 64 * 1024
const newline = Buffer.from('\n')
const nothing = Buffer.alloc(0)

/**
 * The bytes of each value, which need not be text, and a newline. A null value is an empty line.
 */
export class ValueOutput implements RecordOutput {
  readonly #output: Output
  #gathered: Buffer[] = []
  #bytes = 0

  constructor(output: Output) {
    this.#output = output
  }

  get isFull(): boolean {
    return this.#bytes >= gatheredBytesMax
  }

  add(record: PrintedRecord): void {
    const value = record.value ?? nothing
    this.#gathered.push(value, newline)
    this.#bytes += value.length + 1
  }

  async flush(): Promise<void> {
    if (this.#bytes === 0) return
    const bytes = Buffer.concat(this.#gathered, this.#bytes)
    this.#gathered = []
    this.#bytes = 0
    await this.#output.write(bytes)
  }
}

/**
 * A JSON object a line: offset, timestamp, key, value, and headers where there are any. What is not
 * UTF-8 stands in base64, and a field beside it says so. Put together by hand: that is several
 * times faster than building an object for each record.
 */
export class JsonRecordOutput implements RecordOutput {
  readonly #lines: LineOutput

  constructor(output: Output) {
    this.#lines = new LineOutput(output)
  }

  get isFull(): boolean {
    return this.#lines.isFull
  }

  add(record: PrintedRecord, partition?: number): void {
    const { offset, timestamp, headers } = record
    const key = describeBytes(record.key)
    const value = describeBytes(record.value)
    const place = partition === undefined ? '' : `"partition":${partition},`
    const fields = `"offset":${offset},"timestamp":${timestamp},"key":${key.json},"value":${value.json}`
    const keyEncoding = key.isBase64 ? ',"keyEncoding":"base64"' : ''
    const valueEncoding = value.isBase64 ? ',"valueEncoding":"base64"' : ''
    const rest = headers.length === 0 ? '' : `,"headers":[${headers.map(describeHeader).join(',')}]`
    this.#lines.line(`{${place}${fields}${keyEncoding}${valueEncoding}${rest}}`)
  }

  flush(): Promise<void> {
    return this.#lines.flush()
  }
}

function describeHeader(header: LogRecord['headers'][number]): string {
  const value = describeBytes(header.value)
  const encoding = value.isBase64 ? ',"valueEncoding":"base64"' : ''
  return `{"key":${JSON.stringify(header.key)},"value":${value.json}${encoding}}`
}

function describeBytes(bytes: Buffer | null): {
  readonly json: string
  readonly isBase64: boolean
} {
  if (bytes === null) return { json: 'null', isBase64: false }
  const text = utf8Text(bytes)
  if (text !== null) return { json: JSON.stringify(text), isBase64: false }
  return { json: `"${bytes.toString('base64')}"`, isBase64: true }
}
