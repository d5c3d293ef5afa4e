import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { bannedThings } from './banned-things.ts'
import { longFunctions } from './function-lengths.ts'
import { expectOnly, longFilesAllowed, longFunctionsAllowed, longLinesAllowed } from './ratchets.ts'
import { findIn, isTest, typeScript } from './source-tree.ts'

const columnsMax = 100
const functionLinesMax = 70
const fileLinesMax = 450

test('lines have at most 100 columns', () => {
  const long = typeScript.flatMap(({ path, lines, code }) => {
    const codeLines = code.split('\n')
    return lines.flatMap((line, index) => {
      // The formatter breaks code; the lines it leaves longer are those of a string or a link.
      const isString = /['"`/]/.test(codeLines[index] ?? '') || line.includes('https://')
      return line.length > columnsMax && !isString ? [path] : []
    })
  })
  expectOnly(long, longLinesAllowed, 'wrap the comment')
})

test('files have at most 450 lines', () => {
  const long = typeScript.filter(({ lines }) => lines.length - 1 > fileLinesMax)
  expectOnly(
    long.map(({ path }) => path),
    longFilesAllowed,
    'one noun a file: split it',
  )
})

test('functions have at most 70 lines', () => {
  const long = typeScript.flatMap(({ path, code }) =>
    longFunctions(code, functionLinesMax)
      .filter(
        ({ head }) =>
          !(
            isTest(path) && /^(?:describe\b|(?:export )?function (?:describe|test)[A-Z])/.test(head)
          ),
      )
      .map(({ head, lines, line }) => ({ key: `${path} ${head}`, lines, line })),
  )
  const allowed = new Map(Object.entries(longFunctionsAllowed))
  const grown = long.filter(({ key, lines }) => lines > (allowed.get(key) ?? 0))
  expect(grown, 'split them').toEqual([])
  const shrunk = [...allowed].filter(([key, lines]) => {
    return !long.some((found) => found.key === key && found.lines === lines)
  })
  expect(shrunk, 'lower or remove these in ratchets.ts').toEqual([])
})

test.each(bannedThings)('nothing uses $what', ({ pattern, isAllowedIn, instead, inText }) => {
  const found = typeScript
    .filter(({ path }) => !path.startsWith('tools/test/tidy/') && !isAllowedIn(path))
    .flatMap((file) => findIn(file, inText === true ? file.text : file.code, pattern))
  expect(found, instead).toEqual([])
})

test('no file is named for being useful', () => {
  const names = /^(utils?|common|helpers?|misc|shared|types)\.ts$/
  const found = typeScript.filter(({ path }) => names.test(basename(path)))
  expect(found.map(({ path }) => path)).toEqual([])
})

test('tests are skipped for a stated reason only', () => {
  // `context.skip(reason)` prints its reason; a block that is skipped has to name it itself.
  const pattern =
    /\.(?:only|todo)\(|\b(?:test|it|describe)\.skip\((?!`[^`]*skipped: )|\.skip\(\s*\)/
  const found = typeScript
    .filter(({ path }) => isTest(path))
    .flatMap((file) => findIn(file, file.withStrings, pattern))
  expect(found, 'context.skip(why), or a name with the reason in it').toEqual([])
})
