import { expect, test } from 'vitest'
import yargs from 'yargs'
import { flag, number, text, texts } from '../../src/verbs/verb-options.ts'

test('of an option that is single the last one counts, and of a list every one', () => {
  const parser = yargs().options({ name: text, count: number, isThere: flag, all: texts })
  const given = ['--name', 'a', '--name', 'b', '--count', '1', '--count', '2', '--isThere']
  expect(parser.parseSync([...given, '--all', 'x', '--all', 'y'])).toMatchObject({
    ...{ name: 'b', count: 2, isThere: true },
    all: ['x', 'y'],
  })
  expect(parser.parseSync([])).toMatchObject({ isThere: false, all: [] })
})
