import type { BytesAnswer } from '../src/ui/answers.js'
import { oneLine, visible } from './format.ts'

/** How bytes can be looked at. */
export type ByteView = 'text' | 'json' | 'hex'

/** The bytes themselves, as far as they were sent. */
export function rawBytes({ text, base64 }: BytesAnswer): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text)
  return Uint8Array.from(atob(base64 ?? ''), (character) => character.charCodeAt(0))
}

/** What is best to look at first. */
export function bestView(answer: BytesAnswer): ByteView {
  if (answer.text === undefined) return 'hex'
  return prettyJson(answer) === null ? 'text' : 'json'
}

/** As a view shows it. */
export function shownAs(answer: BytesAnswer, view: ByteView): string {
  if (view === 'hex') return hexDump(rawBytes(answer))
  if (view === 'json') return prettyJson(answer) ?? 'This is not JSON, or not all of it is here.'
  if (answer.text !== undefined) return visible(answer.text)
  return visible(new TextDecoder().decode(rawBytes(answer)))
}

/** Objects and lists, indented; null for what is none. Numbers are left as they are written. */
export function prettyJson({ text, size, shown }: BytesAnswer): string | null {
  if (text === undefined || shown < size || !/^\s*[[{]/.test(text)) return null
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  return visible(indented(text))
}

/** One line of it, for a table. */
export function preview(answer: BytesAnswer | null, charactersMax = 200): string {
  if (answer === null) return 'null'
  if (answer.size === 0) return 'empty'
  if (answer.text === undefined) {
    const bytes = rawBytes(answer).subarray(0, 32)
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    return answer.size > bytes.length ? `${hex} …` : hex
  }
  const line = oneLine(answer.text.slice(0, charactersMax))
  return answer.text.length > charactersMax || answer.shown < answer.size ? `${line} …` : line
}

const rowBytes = 16

/** `00000010  68 65 6c 6c 6f …  hello…`. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += rowBytes) {
    const row = Array.from(bytes.subarray(at, at + rowBytes))
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'))
    const left = hex.slice(0, 8).join(' ').padEnd(23)
    const right = hex.slice(8).join(' ').padEnd(23)
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}  ${right}  ${text.join('')}`)
  }
  return lines.join('\n')
}

/** Indents JSON by its text: parsing would round large numbers and drop what stands twice. */
function indented(text: string): string {
  let shown = ''
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]|[,:]|[^\s"[\]{},:]+/g)) {
    if (token === '{' || token === '[') {
      depth++
      shown += token + line()
    } else if (token === '}' || token === ']') {
      depth--
      const isEmpty = /[[{]\s*$/.test(shown)
      shown = isEmpty ? shown.trimEnd() + token : shown + line() + token
    } else if (token === ',') shown += token + line()
    else if (token === ':') shown += ': '
    else shown += token
  }
  return shown
}
