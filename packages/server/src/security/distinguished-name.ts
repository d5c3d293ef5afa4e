// The subject of an X.509 certificate as text (RFC 2253, in the form that Java and so Kafka write
// it), read from its DER: what Node gives as text is not made to be compared.

/** Attributes that have a name of their own in RFC 2253; others are written as their numbers. */
const attributeNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
])

const tags = { utf8: 0x0c, sequence: 0x30, set: 0x31, version: 0xa0, bmp: 0x1e } as const
/** UTF8String, NumericString, PrintableString, TeletexString and IA5String. */
const textTags: ReadonlySet<number> = new Set([0x0c, 0x12, 0x13, 0x14, 0x16])

/** One value of DER, and where it lies. */
interface Item {
  readonly tag: number
  readonly from: number
  readonly contentFrom: number
  readonly to: number
}

/**
 * The subject of a certificate, its last name first, as `CN=orders,OU=clients,O=Example,C=CH`.
 * Null where the bytes are not a certificate.
 */
export function subjectOf(certificate: Uint8Array): string | null {
  try {
    const bytes = Buffer.from(certificate.buffer, certificate.byteOffset, certificate.length)
    const outer = itemAt(bytes, 0, bytes.length, tags.sequence)
    const body = itemAt(bytes, outer.contentFrom, outer.to, tags.sequence)
    const items = itemsIn(bytes, body)
    // Version (where it is given), serial number, algorithm, issuer, validity, subject.
    const subject = items[items[0]?.tag === tags.version ? 5 : 4]
    if (subject?.tag !== tags.sequence) return null
    const names = itemsIn(bytes, subject).map((set) => relativeName(bytes, set))
    return names.reverse().join(',')
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** A set of attributes, nearly always of one. */
function relativeName(bytes: Buffer, set: Item): string {
  if (set.tag !== tags.set) throw new RangeError('a name is no set')
  return itemsIn(bytes, set)
    .map((pair) => {
      const [type, value] = itemsIn(bytes, pair)
      if (type === undefined || value === undefined) throw new RangeError('an attribute is empty')
      const number = objectIdentifier(bytes, type)
      const name = attributeNames.get(number)
      const text = name === undefined ? null : textOf(bytes, value)
      if (text !== null) return `${name}=${escaped(text)}`
      return `${name ?? number}=#${bytes.toString('hex', value.from, value.to)}`
    })
    .join('+')
}

function textOf(bytes: Buffer, { tag, contentFrom, to }: Item): string | null {
  if (textTags.has(tag)) {
    return bytes.toString(tag === tags.utf8 ? 'utf8' : 'latin1', contentFrom, to)
  }
  if (tag !== tags.bmp) return null
  return Buffer.from(bytes.subarray(contentFrom, to - ((to - contentFrom) % 2)))
    .swap16()
    .toString('utf16le')
}

/** With a backslash before what has a meaning, and before blanks at either end. */
function escaped(text: string): string {
  return text
    .replace(/[,=+<>#;"\\]/g, '\\$&')
    .replace(/^ +| +$/g, (blanks) => '\\ '.repeat(blanks.length))
}

function objectIdentifier(bytes: Buffer, { tag, contentFrom, to }: Item): string {
  if (tag !== 6) throw new RangeError('an attribute has no type')
  const numbers: number[] = []
  let number = 0
  for (let at = contentFrom; at < to; at++) {
    const byte = bytes[at] as number
    number = number * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    numbers.push(number)
    number = 0
  }
  const first = numbers[0] ?? 0
  const top = Math.min(Math.floor(first / 40), 2)
  return [top, first - top * 40, ...numbers.slice(1)].join('.')
}

function itemsIn(bytes: Buffer, { contentFrom, to }: Item): readonly Item[] {
  const items: Item[] = []
  for (let at = contentFrom; at < to; ) {
    const item = itemAt(bytes, at, to)
    items.push(item)
    at = item.to
  }
  return items
}

/** Throws RangeError where there is none. */
function itemAt(bytes: Buffer, from: number, end: number, expectedTag?: number): Item {
  if (from + 2 > end) throw new RangeError('a value ends too early')
  const tag = bytes[from] as number
  const first = bytes[from + 1] as number
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  if (lengthBytes > 4 || from + 2 + lengthBytes > end) throw new RangeError('a length is too long')
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(from + 2, lengthBytes)
  const contentFrom = from + 2 + lengthBytes
  if (first === 0x80 || contentFrom + length > end) throw new RangeError('a length is wrong')
  if (expectedTag !== undefined && tag !== expectedTag)
    throw new RangeError('not what it should be')
  return { tag, from, contentFrom, to: contentFrom + length }
}
