import { expect, test } from 'vitest'
import { bannedThings } from './banned-things.ts'
import { longFunctions } from './function-lengths.ts'
import { maskSource } from './masked-source.ts'

// The rules themselves: a rule that finds nothing may be a rule that cannot find anything.

test('comments, strings and patterns are not code, and what is in a template is', () => {
  const text =
    "a('b // c') // d\nconst e = /'{\\/[/]/.test(`f \u0024{g({ h: 1 })} i`) /* { */ / 2\n"
  const { code, withStrings } = maskSource(text)
  expect(code.replace(/ +/g, ' ')).toBe(
    "a(' ') \nconst e = / /.test(` \u0024{g({ h: 1 })} `) / 2\n",
  )
  expect(withStrings).toContain("a('b // c')")
  expect(withStrings).not.toContain('d')
})

test('functions of every form are measured, and blocks of other kinds are not', () => {
  const body = '\n  x()'.repeat(10)
  const heads = [
    'function a(): void {',
    'export async function* b<T>(c: T[]): AsyncGenerator<T, void, undefined> {',
    '  #c(d: { e: string }) {',
    '  get f(): readonly string[] {',
    'const g = async (h: number) => {',
    'i.map((j) => {',
  ]
  for (const head of heads) {
    const found = longFunctions(maskSource(`${head}${body}\n}`).code, 11)
    expect(found, head).toEqual([{ line: 1, lines: 12, head: head.trim() }])
    expect(longFunctions(maskSource(`${head}${body}\n}`).code, 12), head).toEqual([])
  }
  for (const head of ['class A {', 'if (a) {', 'for (const b of c) {', 'const d = {', 'try {']) {
    expect(longFunctions(maskSource(`${head}${body}\n}`).code, 3), head).toEqual([])
  }
})

const samples: ReadonlyArray<readonly [string, string]> = [
  ['the wall clock directly', 'const now = Date.now()'],
  ['timers directly', 'setTimeout(act, 5)'],
  ['the file system directly', "import { readFileSync } from 'node:fs'"],
  ['Math.random', 'Math.random()'],
  ['the console', 'console.log(1)'],
  ['any', 'function f(a: any): void {}'],
  ['export *', "export * from './a.ts'"],
  ['default exports', 'export default 5'],
  ['notes for later', '// TODO: later'],
  ['comments that silence the compiler', '// @ts-ignore'],
  ['the linter silenced without a reason', '// biome-ignore lint/a/b:'],
  [
    'messages of assertions that are put together on every call',
    'assert(a > b, `\u0024{a} is less`)',
  ],
  ['enums, namespaces and parameter properties', 'export enum A { B }'],
  ['unencrypted links and private hosts', "'http://registry.example.internal/'"],
  ["paths of somebody's machine", "'/root/data'"],
]

test('each banned thing is found where it is', () => {
  expect(samples.map(([what]) => what)).toEqual(bannedThings.map(({ what }) => what))
  for (const [index, [what, text]] of samples.entries()) {
    const rule = bannedThings[index]
    const { code } = maskSource(text)
    expect(rule?.pattern.test(rule.inText === true ? text : code), what).toBe(true)
    expect(rule?.isAllowedIn('packages/log/src/log.ts'), what).toBe(false)
  }
})
