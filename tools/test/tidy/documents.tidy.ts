import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokenLinksAllowed, expectOnly } from './ratchets.ts'
import { documents, findIn, isPackageSource, root, typeScript } from './source-tree.ts'

/** Outside code blocks and code spans. */
function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ' '))
}

function document(path: string): string {
  return documents.find((candidate) => candidate.path === path)?.text ?? ''
}

describe('a document', () => {
  test('has exactly one title', () => {
    const wrong = documents.filter(({ text }) => proseOf(text).match(/^# /gm)?.length !== 1)
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('links to what is there', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...proseOf(text).matchAll(/\]\(([^)\s#]*)(#[^)\s]*)?\)/g)].flatMap(([, target, anchor]) => {
        if (target === undefined || /^[a-z]+:/.test(target)) return []
        const file = target === '' ? path : join(dirname(path), target)
        const isThere = existsSync(join(root, file)) && hasAnchor(file, anchor)
        return isThere ? [] : [`${path}: ${target}${anchor ?? ''}`]
      }),
    )
    expectOnly(broken, brokenLinksAllowed, 'link to what is there')
  })

  test('names no path of a machine and no unencrypted or private host', () => {
    const pattern = /(?<![\w.])\/(?:work|home|root|Users)\/\w|http:\/\/(?!localhost|127\.0\.0\.1)/
    expect(documents.flatMap((file) => findIn(file, file.text, pattern))).toEqual([])
  })

  test('leaves nothing for later', () => {
    const pattern = /\b(?:TODO|FIXME|XXX|TBD)\b/
    expect(documents.flatMap((file) => findIn(file, proseOf(file.text), pattern))).toEqual([])
  })
})

describe('docs/errors.md', () => {
  const headings = [...document('docs/errors.md').matchAll(/^## (VARVE_\w+)$/gm)].map(
    ([, code]) => code ?? '',
  )
  const codes = typeScript
    .filter(({ path }) => isPackageSource(path))
    .flatMap(({ withStrings }) => [...withStrings.matchAll(/\bcode = '(VARVE_\w+)'/g)])
    .map(([, code]) => code ?? '')

  test('has a section for each code, and no others', () => {
    expect(headings).toEqual([...codes].sort())
  })

  test('is about codes that mean one thing each', () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  })
})

test('the README names every verb of the command', () => {
  const commands = typeScript.filter(({ path }) =>
    /^packages\/cli\/src\/commands\/[\w-]+\.ts$/.test(path),
  )
  const verbs = commands.map(({ path }) => path.replace(/^.*\/([\w-]+)\.ts$/, '$1'))
  const readme = document('README.md')
  expect(verbs.filter((verb) => !readme.includes(`varve ${verb}`))).toEqual([])
})

/** Anchors as GitHub makes them out of headings. */
function hasAnchor(path: string, anchor: string | undefined): boolean {
  if (anchor === undefined || !path.endsWith('.md')) return true
  const slugs = [...proseOf(document(path)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /g, '-'),
  )
  return slugs.includes(anchor.slice(1))
}
