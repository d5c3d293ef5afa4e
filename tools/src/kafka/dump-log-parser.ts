// Reads what `kafka-dump-log` prints when keys and values are printed by Base64Decoder.
// Source of the forms: DumpLogSegments of Kafka 3.9 and 4.3, which agree.

/** What the tool says of one file. */
export interface DumpedFile {
  readonly path: string
  readonly batches: DumpedBatch[]
  /** Entries of an `.index` as [offset, position]. */
  readonly indexEntries: (readonly [number, number])[]
  /** Entries of a `.timeindex` as [timestamp, offset]. */
  readonly timeIndexEntries: (readonly [number, number])[]
  /** Entries of a `.txnindex`. */
  readonly abortedTransactions: DumpedAbortedTransaction[]
  /** Entries of a `.snapshot`. */
  readonly producers: DumpedProducer[]
  /** Bytes at the end of a `.log` that are no batch. */
  invalidBytes: number
  /** Whether an index was said to pass `--index-sanity-check`. */
  passedSanityCheck: boolean
  /** Lines of no known form: a complaint, or a form that this reader does not know. */
  readonly unrecognised: string[]
}

export interface DumpedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitionLeaderEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly deleteHorizonMs: number | null
  readonly position: number
  readonly timestampType: string
  readonly maxTimestamp: number
  readonly size: number
  readonly magic: number
  readonly compressionType: string
  readonly crc: number
  readonly isValid: boolean
  /** With `--deep-iteration` only. */
  readonly records: DumpedRecord[]
}

export interface DumpedRecord {
  readonly offset: number
  readonly timestampType: string
  readonly timestamp: number
  readonly keySize: number
  readonly valueSize: number
  readonly sequence: number
  /** As printed: the tool neither quotes nor escapes them. */
  readonly headerKeys: string
  /** Base64; null when there is none, and in control records. */
  readonly key: string | null
  readonly value: string | null
  readonly endTransactionMarker: { readonly type: string; readonly coordinatorEpoch: number } | null
}

export interface DumpedAbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export interface DumpedProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly currentTransactionFirstOffset: number | null
  readonly lastTimestamp: number
  /** Null when the producer's last entry is a marker. */
  readonly lastBatch: { readonly lastSequence: number; readonly lastOffset: number } | null
}

/** What the tool printed to standard output, file by file, in the order given to it. */
export function parseDump(stdout: string): readonly DumpedFile[] {
  const files: DumpedFile[] = []
  for (const line of stdout.split('\n')) {
    if (line.startsWith('Dumping ')) {
      files.push(emptyFile(line.slice('Dumping '.length)))
      continue
    }
    const file = files.at(-1)
    if (line === '' || file === undefined) continue
    if (!parsers.some((parse) => parse(line, file))) file.unrecognised.push(line)
  }
  return files
}

/**
 * Complaints among what the tool printed to standard error: everything but its notes. Kafka 4.3's
 * tool believes that every log begins at offset 0 and calls the first record of any later segment
 * non-consecutive ("-1 is followed by …"); that is a mistake of the tool, and left out.
 */
export function dumpComplaints(stderr: string): readonly string[] {
  const complaints: string[] = []
  let heading: string | null = null
  for (const line of stderr.split('\n')) {
    if (line === '' || / -1 is followed by \d+$/.test(line)) continue
    if (line.startsWith('Non-consecutive offsets in ')) {
      heading = line
      continue
    }
    if (heading !== null) complaints.push(heading)
    heading = null
    complaints.push(line)
  }
  return complaints
}

function emptyFile(path: string): DumpedFile {
  return {
    path,
    batches: [],
    indexEntries: [],
    timeIndexEntries: [],
    abortedTransactions: [],
    producers: [],
    invalidBytes: 0,
    passedSanityCheck: false,
    unrecognised: [],
  }
}

/** Each takes a line into the file, or says that the line is not of its kind. */
const parsers: readonly ((line: string, file: DumpedFile) => boolean)[] = [
  parseBatch,
  parseRecord,
  parseIndexEntry,
  parseTimeIndexEntry,
  parseAbortedTransaction,
  parseProducer,
  parseRemark,
]

const batchPattern = new RegExp(
  '^baseOffset: (\\d+) lastOffset: (\\d+) count: (\\d+) baseSequence: (-?\\d+) ' +
    'lastSequence: (-?\\d+) producerId: (-?\\d+) producerEpoch: (-?\\d+) ' +
    'partitionLeaderEpoch: (-?\\d+) isTransactional: (true|false) isControl: (true|false) ' +
    'deleteHorizonMs: OptionalLong(?:\\.empty|\\[(\\d+)\\]) position: (\\d+) ' +
    '(\\w+): (-?\\d+) size: (\\d+) magic: (\\d+) compresscodec: (\\w+) crc: (\\d+) ' +
    'isvalid: (true|false)$',
)

function parseBatch(line: string, file: DumpedFile): boolean {
  const fields = batchPattern.exec(line)
  if (fields === null) return false
  file.batches.push({
    baseOffset: Number(fields[1]),
    lastOffset: Number(fields[2]),
    count: Number(fields[3]),
    baseSequence: Number(fields[4]),
    lastSequence: Number(fields[5]),
    producerId: Number(fields[6]),
    producerEpoch: Number(fields[7]),
    partitionLeaderEpoch: Number(fields[8]),
    isTransactional: fields[9] === 'true',
    isControl: fields[10] === 'true',
    deleteHorizonMs: optionalNumber(fields[11]),
    position: Number(fields[12]),
    timestampType: fields[13] ?? '',
    maxTimestamp: Number(fields[14]),
    size: Number(fields[15]),
    magic: Number(fields[16]),
    compressionType: fields[17] ?? '',
    crc: Number(fields[18]),
    isValid: fields[19] === 'true',
    records: [],
  })
  return true
}

const recordPattern = new RegExp(
  '^\\| offset: (\\d+) (\\w+): (-?\\d+) keySize: (-?\\d+) valueSize: (-?\\d+) ' +
    'sequence: (-?\\d+) headerKeys: (\\[.*)$',
)
/** Header keys may hold anything, brackets too, but the rest of a data record can't. */
const dataPattern = /^\[(.*)\](?: key: ([\w+/=]*))?(?: payload: ([\w+/=]*))?$/
/** A control record has no headers; what it says follows in one of several forms. */
const controlPattern = /^\[\](?: endTxnMarker: (\w+) coordinatorEpoch: (-?\d+)|.*)$/
function parseRecord(line: string, file: DumpedFile): boolean {
  const fields = recordPattern.exec(line)
  const batch = file.batches.at(-1)
  if (fields === null || batch === undefined) return false
  const rest = fields[7] ?? ''
  const control = batch.isControl ? controlPattern.exec(rest) : null
  const data = batch.isControl ? null : dataPattern.exec(rest)
  if (control === null && data === null) return false
  const type = control?.[1]
  batch.records.push({
    offset: Number(fields[1]),
    timestampType: fields[2] ?? '',
    timestamp: Number(fields[3]),
    keySize: Number(fields[4]),
    valueSize: Number(fields[5]),
    sequence: Number(fields[6]),
    headerKeys: data?.[1] ?? '',
    key: data?.[2] ?? null,
    value: data?.[3] ?? null,
    endTransactionMarker:
      type === undefined ? null : { type, coordinatorEpoch: Number(control?.[2]) },
  })
  return true
}

function parseIndexEntry(line: string, file: DumpedFile): boolean {
  const fields = /^offset: (\d+) position: (\d+)$/.exec(line)
  if (fields === null) return false
  file.indexEntries.push([Number(fields[1]), Number(fields[2])])
  return true
}

function parseTimeIndexEntry(line: string, file: DumpedFile): boolean {
  const fields = /^timestamp: (-?\d+) offset: (\d+)$/.exec(line)
  if (fields === null) return false
  file.timeIndexEntries.push([Number(fields[1]), Number(fields[2])])
  return true
}

const abortedPattern =
  /^version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)$/

function parseAbortedTransaction(line: string, file: DumpedFile): boolean {
  const fields = abortedPattern.exec(line)
  if (fields === null) return false
  file.abortedTransactions.push({
    producerId: Number(fields[1]),
    firstOffset: Number(fields[2]),
    lastOffset: Number(fields[3]),
    lastStableOffset: Number(fields[4]),
  })
  return true
}

const producerPattern = new RegExp(
  '^producerId: (\\d+) producerEpoch: (-?\\d+) coordinatorEpoch: (-?\\d+) ' +
    'currentTxnFirstOffset: (?:OptionalLong\\.empty|OptionalLong\\[(\\d+)\\]) ' +
    'lastTimestamp: (-?\\d+) ' +
    '(?:firstSequence: -?\\d+ lastSequence: (-?\\d+) lastOffset: (-?\\d+) offsetDelta: -?\\d+ ' +
    'timestamp: -?\\d+)?$',
)

function parseProducer(line: string, file: DumpedFile): boolean {
  const fields = producerPattern.exec(line)
  if (fields === null) return false
  const hasBatch = fields[6] !== undefined
  file.producers.push({
    producerId: Number(fields[1]),
    producerEpoch: Number(fields[2]),
    coordinatorEpoch: Number(fields[3]),
    currentTransactionFirstOffset: optionalNumber(fields[4]),
    lastTimestamp: Number(fields[5]),
    lastBatch: hasBatch ? { lastSequence: Number(fields[6]), lastOffset: Number(fields[7]) } : null,
  })
  return true
}

function parseRemark(line: string, file: DumpedFile): boolean {
  const invalid = /^Found (\d+) invalid bytes at the end of /.exec(line)
  if (invalid !== null) file.invalidBytes = Number(invalid[1])
  const passed = line === `${file.path} passed sanity check.`
  if (passed) file.passedSanityCheck = true
  const known = /^(Log starting offset: \d+|KRaft bootstrap snapshot|Snapshot end offset: .*)$/
  return invalid !== null || passed || line === `${file.path} is empty.` || known.test(line)
}

function optionalNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}
