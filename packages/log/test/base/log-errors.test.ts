import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as record from '@varve/record'
import { describe, expect, test } from 'vitest'
import * as log from '../../src/index.ts'

const packages = join(import.meta.dirname, '../../..')

interface ErrorClass {
  readonly name: string
  readonly code: string
}

/** The classes with a code that are declared in a package's sources. */
function errorClassesIn(name: string): ErrorClass[] {
  const directory = join(packages, name, 'src')
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(directory, file), 'utf8')
      const classes = text.matchAll(/class (\w+Error) extends[^{]*\{(.*?)\n\}/gs)
      return [...classes].flatMap(([, found = '', body = '']) => {
        const code = /readonly code = '(VARVE_\w+)'/.exec(body)?.[1]
        return code === undefined ? [] : [{ name: found, code }]
      })
    })
}

const classes = [...errorClassesIn('record'), ...errorClassesIn('log')]

describe('the errors of @varve/record and @varve/log', () => {
  test('have codes of their own', () => {
    expect(classes.length).toBeGreaterThan(25)
    const codes = classes.map(({ code }) => code)
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  })

  test('each have a section in docs/errors.md', () => {
    const text = readFileSync(join(packages, '../docs/errors.md'), 'utf8')
    const sections = new Set([...text.matchAll(/^## (VARVE_\w+)$/gm)].map(([, code]) => code))
    expect(classes.map(({ code }) => code).filter((code) => !sections.has(code))).toEqual([])
  })

  test('can be told apart by whoever uses the packages: their classes are exported', () => {
    const exported = new Set([...Object.keys(record), ...Object.keys(log)])
    expect(classes.map(({ name }) => name).filter((name) => !exported.has(name))).toEqual([])
  })

  test('say what happened, carry their facts, and are VarveErrors', () => {
    const damage = { path: '/d/x.log', position: 7, firstOffset: 1, lastOffset: 9, reason: 'torn' }
    const errors = [
      new log.OffsetOutOfRangeError('t-0', 3, 5, 9),
      new log.OffsetOutOfRangeError('t-0', 10, 5, 9),
      new log.BatchTooLargeError(100, 'maxMessageBytes', 99),
      new log.InvalidBatchError('the batch holds no records'),
      new log.AppendQueueFullError('t-0', 4096),
      new log.LogOfflineError('t-0', 'flushing', new Error('EIO')),
      new log.LogClosedError('t-0'),
      new log.LogLockedError('/d'),
      new log.LogNotFoundError('there is no log t-0'),
      new log.LogExistsError('there is a log t-0'),
      new log.CorruptLogError(damage),
      new log.CorruptLogError({ ...damage, lastOffset: null }),
      new log.LostWriteError(damage),
      new log.SegmentPinnedError('/d/x.log'),
      new log.CorruptIndexError('/d/x.index', { position: 8, reason: 'torn' }),
    ]
    for (const error of errors) {
      expect(error).toBeInstanceOf(record.VarveError)
      expect(error.name).toBe(error.constructor.name)
      expect(error.message).not.toMatch(/undefined|\[object|NaN/)
      expect(error.hint ?? '').not.toMatch(/undefined|\[object|NaN/)
    }
    expect(errors.filter(({ retriable }) => retriable).map(({ code }) => code)).toEqual([
      'VARVE_APPEND_QUEUE_FULL',
      'VARVE_LOG_LOCKED',
      'VARVE_SEGMENT_PINNED',
    ])
    expect(errors[5]?.cause).toBeInstanceOf(Error)
  })
})
