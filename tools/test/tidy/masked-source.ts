/** A source text, and the same with everything blanked that is not code. */
export interface MaskedSource {
  /** Comments and the insides of strings and patterns are spaces; lines stay where they are. */
  readonly code: string
  /** Only comments are spaces. */
  readonly withStrings: string
}

type State = 'code' | 'line comment' | 'block comment' | 'pattern' | "'" | '"' | '`'

/** A '/' behind one of these begins a pattern, behind anything else it divides. */
const beforePattern = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of))\s*$/

/** Blanks what is not code. Knows as much of TypeScript's grammar as that takes. */
export function maskSource(text: string): MaskedSource {
  let code = ''
  let withStrings = ''
  let state: State = 'code'
  let isInClass = false
  /** Depth of braces in each `${` that is open. */
  const substitutions: number[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    const pair = char + (text[at + 1] ?? '')
    const blank = char === '\n' ? '\n' : ' '
    if (state === 'line comment' || state === 'block comment') {
      const isEnd = state === 'line comment' ? char === '\n' : pair === '*/'
      code += blank
      withStrings += blank
      if (!isEnd) continue
      if (state === 'block comment') {
        code += ' '
        withStrings += ' '
        at += 1
      }
      state = 'code'
      continue
    }
    if (state !== 'code') {
      if (char === '\\') {
        code += '  '
        withStrings += text.slice(at, at + 2)
        at += 1
        continue
      }
      if (state === '`' && pair === '${') {
        substitutions.push(0)
        code += '${'
        withStrings += '${'
        at += 1
        state = 'code'
        continue
      }
      if (state === 'pattern') isInClass = char === '[' || (isInClass && char !== ']')
      const isEnd = state === 'pattern' ? char === '/' && !isInClass : char === state
      code += isEnd ? char : blank
      withStrings += char
      if (isEnd) state = 'code'
      continue
    }
    if (pair === '//' || pair === '/*') {
      state = pair === '//' ? 'line comment' : 'block comment'
      code += '  '
      withStrings += '  '
      at += 1
      continue
    }
    if (char === "'" || char === '"' || char === '`') state = char
    else if (char === '/' && beforePattern.test(code.slice(-20))) state = 'pattern'
    const depth = substitutions.length - 1
    if (depth >= 0 && char === '{') substitutions[depth] = (substitutions[depth] ?? 0) + 1
    if (depth >= 0 && char === '}') {
      if (substitutions[depth] === 0) {
        substitutions.pop()
        state = '`'
      } else substitutions[depth] = (substitutions[depth] ?? 0) - 1
    }
    code += char
    withStrings += char
  }
  return { code, withStrings }
}
