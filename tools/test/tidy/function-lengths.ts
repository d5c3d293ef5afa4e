/** A function that is too long, by the line on which its body begins. */
export interface LongFunction {
  readonly line: number
  readonly lines: number
  readonly head: string
}

const controlWords = new Set(['if', 'for', 'while', 'switch', 'catch', 'with'])

/** The functions of masked code that have more than `linesMax` lines, signature included. */
export function longFunctions(code: string, linesMax: number): readonly LongFunction[] {
  const found: LongFunction[] = []
  const open: Array<{ readonly line: number; readonly head: string | null }> = []
  let line = 1
  for (let at = 0; at < code.length; at++) {
    const char = code[at]
    if (char === '\n') line += 1
    else if (char === '{') open.push(openingAt(code, at, line))
    else if (char === '}') {
      const block = open.pop()
      if (block === undefined || block.head === null) continue
      const lines = line - block.line + 1
      if (lines > linesMax) found.push({ line: block.line, lines, head: block.head })
    }
  }
  return found
}

/** The first line of the function whose body the brace at `at` opens; null for other blocks. */
function openingAt(
  code: string,
  at: number,
  line: number,
): { readonly line: number; readonly head: string | null } {
  const before = code.slice(0, at).trimEnd()
  if (before.endsWith('=>')) return named(code, before.length - 2, at, line)
  // A return type may stand between the parameters and the body.
  const end = before.endsWith(')') ? before.length : (returnTypeStart(before) ?? -1)
  if (end < 0) return { line, head: null }
  const start = matchingParenthesis(before, end - 1)
  const word = /(\w+)\s*$/.exec(before.slice(0, start))?.[1] ?? ''
  return controlWords.has(word) ? { line, head: null } : named(code, start, at, line)
}

function named(
  code: string,
  start: number,
  brace: number,
  line: number,
): { readonly line: number; readonly head: string } {
  const lineStart = code.lastIndexOf('\n', start) + 1
  const linesBetween = code.slice(lineStart, brace).split('\n').length - 1
  const head = code.slice(lineStart).split('\n', 1)[0] ?? ''
  return { line: line - linesBetween, head: head.trim() }
}

/** Where `: Type` in front of a body begins, behind the `)`; null when there is no such thing. */
function returnTypeStart(before: string): number | null {
  const match = /\)\s*:\s*[^;{}()=]*$/.exec(before.slice(-200))
  return match === null ? null : before.length - match[0].length + 1
}

function matchingParenthesis(text: string, end: number): number {
  let depth = 0
  for (let at = end; at >= 0; at--) {
    if (text[at] === ')') depth += 1
    if (text[at] === '(') depth -= 1
    if (depth === 0) return at
  }
  return 0
}
