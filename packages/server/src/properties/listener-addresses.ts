import { InvalidArgumentError } from '@varve/record'

/** One of Kafka's `listeners`: `NAME://host:port`. */
export interface NamedAddress {
  /** Null where only an address was given. */
  readonly name: string | null
  /** Empty for all addresses of the machine. */
  readonly host: string
  readonly port: number
}

/** Throws InvalidArgumentError, which says what setting it was. */
export function parseAddress(setting: string, text: string): NamedAddress {
  const pattern = /^(?:([A-Za-z][\w-]*):\/\/)?(\[[0-9A-Fa-f:.]+\]|[^:[\]/]*):(\d{1,5})$/
  const [, name, host = '', digits = ''] = pattern.exec(text.trim()) ?? []
  const port = Number(digits)
  if (digits === '' || port > 65_535) {
    throw new InvalidArgumentError(setting, text, 'must be HOST:PORT or NAME://HOST:PORT')
  }
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return { name: name?.toUpperCase() ?? null, host: bare, port }
}

/** Several, with commas between. */
export function parseAddresses(setting: string, text: string): readonly NamedAddress[] {
  return listOf(text).map((each) => parseAddress(setting, each))
}

/** A setting that is a list, as Kafka writes them. */
export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}
