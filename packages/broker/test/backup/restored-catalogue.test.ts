import type { RestoreScene } from '@varve/backup'
import { describe, expect, test } from 'vitest'
import { restoredCatalogue } from '../../src/backup/restored-catalogue.ts'
import type { Catalogue, CataloguedTopic } from '../../src/topics/catalogue-file.ts'

const id = (letter: string): string => letter.repeat(22)

function topic(name: string, topicId: string, more: Partial<CataloguedTopic> = {}) {
  const entry = { name, topicId, partitions: 1, made: 1, isDeleting: false, settings: {} }
  return { ...entry, ...more }
}

function catalogue(nextProducerId: number, ...topics: readonly CataloguedTopic[]): Catalogue {
  return { nextProducerId, topics }
}

/** Of `orders-0` or `orders-0 as then-0`. */
function scene(restored: readonly string[], kept: readonly string[] = []) {
  const partitions = restored.map((text) => {
    const [from = '', name = from] = text.split(' as ')
    const [, topic = '', partition = ''] = /^(.*)-(\d+)$/.exec(from) ?? []
    const stored = {
      ...{ topic, partition: Number(partition), topicId: null, logStartOffset: 0, endOffset: 1 },
      ...{ sizeBytes: 0, segmentCount: 1, list: Buffer.alloc(32), set: 0 },
    }
    return { stored, list: { topic, partition: 0, segments: [], files: [] }, name, end: 1 }
  })
  return { partitions: partitions as unknown as RestoreScene['partitions'], kept }
}

const newTopicId = (): string => id('N')
const taken: ReadonlySet<string> = new Set()

describe('the catalogue of a restored directory', () => {
  test('has the topics that were restored and those that stay, and no others', () => {
    const stored = catalogue(2000, topic('a', id('A'), { settings: { retentionMs: 5 } }))
    const present = catalogue(3000, topic('a', id('X')), topic('b', id('B')), topic('c', id('C')))
    const options = { stored, present, taken, newTopicId }
    expect(restoredCatalogue({ ...options, scene: scene(['a-0'], ['b-0']) })).toEqual(
      catalogue(3000, topic('b', id('B')), topic('a', id('A'), { settings: { retentionMs: 5 } })),
    )
  })

  test('lets a topic be what it is of which only some partitions come back', () => {
    const stored = catalogue(0, topic('a', id('A'), { partitions: 2, made: 2 }))
    const present = catalogue(
      0,
      topic('a', id('X'), { partitions: 3, made: 3, settings: { retentionMs: 7 } }),
    )
    const options = { stored, present, taken, newTopicId }
    expect(restoredCatalogue({ ...options, scene: scene(['a-1'], ['a-0', 'a-2']) })).toEqual(
      catalogue(0, topic('a', id('X'), { partitions: 3, made: 3, settings: { retentionMs: 7 } })),
    )
  })

  test('has partitions made that are missing', () => {
    const stored = catalogue(0, topic('a', id('A'), { partitions: 4, made: 4 }))
    const options = { stored, present: null, taken, newTopicId }
    const found = restoredCatalogue({ ...options, scene: scene(['a-0', 'a-2']) })
    expect(found?.topics).toEqual([topic('a', id('A'), { partitions: 4, made: 1 })])
  })

  test('a topic that was being deleted still is, unless it comes back under another name', () => {
    const gone = topic('a', id('A'), { isDeleting: true })
    const options = { stored: catalogue(0, gone), present: null, taken, newTopicId }
    expect(restoredCatalogue({ ...options, scene: scene(['a-0']) })?.topics).toEqual([gone])
    expect(restoredCatalogue({ ...options, scene: scene(['a-0 as b-0']) })?.topics).toEqual([
      topic('b', id('N')),
    ])
    const again = topic('a', id('B'))
    const both = { ...options, stored: catalogue(0, gone, again) }
    expect(restoredCatalogue({ ...both, scene: scene(['a-0']) })?.topics).toEqual([again])
  })

  test('is made for a renamed topic of a broker, and not where none is needed', () => {
    const options = { stored: null, present: null, taken, newTopicId }
    expect(restoredCatalogue({ ...options, scene: scene(['a-0']) })).toBeNull()
    expect(restoredCatalogue({ ...options, scene: scene(['a-0 as b-0']) })).toEqual(
      catalogue(0, topic('b', id('N'))),
    )
  })

  test('refuses names that are taken, that collide, or that two would have', () => {
    const options = { stored: null, present: null, newTopicId }
    const refuse = (restored: readonly string[], names: readonly string[] = []) =>
      expect(() =>
        restoredCatalogue({ ...options, taken: new Set(names), scene: scene(restored) }),
      ).toThrow(expect.objectContaining({ code: 'VARVE_RESTORE_REFUSED' }))
    refuse(['a-0 as b-0'], ['b'])
    refuse(['a-0 as x_y-0'], ['x.y'])
    refuse(['a-0 as c-0', 'b-1 as c-1'])
    refuse(['__consumer_offsets-0 as b-0'])
  })
})
