/** A setting of a properties file. */
export interface Property {
  readonly name: string
  readonly value: string
}

/**
 * Reads Java's properties format, in which Kafka's configuration files are: `name=value`, `#` and
 * `!` before comments, a backslash at the end of a line that goes on. What is given twice counts as
 * it stands last.
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const { name, value } = splitLine(line)
    properties.set(name, value)
  }
  return properties
}

/** One of `name=value`, as on a command line. Null where there is no `=`. */
export function parseAssignment(text: string): Property | null {
  const at = text.indexOf('=')
  if (at < 1) return null
  return { name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }
}

function* logicalLines(text: string): Generator<string, void, undefined> {
  let begun = ''
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.replace(/^[ \t\f]+/, '')
    if (begun === '' && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    if (goesOn(line)) {
      begun += line.slice(0, -1)
      continue
    }
    yield begun + line
    begun = ''
  }
  if (begun !== '') yield begun
}

/** Two backslashes are one that is meant. */
function goesOn(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

/** The name ends at the first `=`, `:` or blank that no backslash stands before. */
function splitLine(line: string): Property {
  const name = /^(?:\\.|[^\\=: \t\f])*/.exec(line)?.[0] ?? ''
  const rest = line.slice(name.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return { name: unescaped(name), value: unescaped(rest).trimEnd() }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string, character: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return escapes[character] ?? character
  })
}
