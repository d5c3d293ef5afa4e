import { expect, test } from 'vitest'
import { openFilesDefault, openFilesLimit } from '../../src/storage/open-files-limit.ts'

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             95799                95799                processes ',
    `Max open files            ${soft.padEnd(20)} 1048576              files     `,
    '',
  ].join('\n')

test('the limit is the one that holds now', () => {
  expect(openFilesLimit(limits('1024'))).toBe(1024)
  expect(openFilesLimit(limits('unlimited'))).toBe(Number.MAX_SAFE_INTEGER)
})

test('where it cannot be known, it is taken for little', () => {
  expect(openFilesLimit('')).toBe(0)
  expect(openFilesLimit('Max open files of something else')).toBe(0)
})

test('what is kept open leaves room for others', () => {
  expect(openFilesDefault()).toBeGreaterThanOrEqual(512)
  expect(openFilesDefault()).toBeLessThanOrEqual(8192)
})
