import type { BytesAnswer, RecordAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { type ByteView, bestView, preview, shownAs } from './byte-text.ts'
import { button, element, facts, fill } from './dom.ts'
import { ago, bytes, count, time, visible } from './format.ts'
import { messageOf } from './view.ts'

const views: ReadonlyArray<readonly [ByteView, string]> = [
  ['text', 'Text'],
  ['json', 'JSON'],
  ['hex', 'Hex'],
]

/** Everything of a record: key, value and headers, as text, JSON or bytes. */
export function recordDetail(topic: string, record: RecordAnswer): HTMLElement {
  const { partition, offset, timestamp, headers, headersLeftOut } = record
  const detail = element('div', { class: 'detail' })
  const show = (shown: RecordAnswer): void => {
    const more = (): Promise<void> =>
      ask<RecordAnswer>(apiPath(['topics', topic, 'record'], { partition, offset })).then(show)
    fill(
      detail,
      facts([
        ['Partition', count(partition)],
        ['Offset', count(offset)],
        ['Time', timestamp < 0 ? 'none' : `${time(timestamp)} (${ago(timestamp, Date.now())})`],
        ['Key', sizeOf(shown.key)],
        ['Value', shown.value === null ? 'null: a tombstone' : sizeOf(shown.value)],
      ]),
      bytesPart('Key', shown.key, downloadPath(topic, record, 'key'), more),
      bytesPart('Value', shown.value, downloadPath(topic, record, 'value'), more),
      headersPart(shown),
    )
  }
  show(record)
  if (headersLeftOut > 0) detail.append(element('p', {}, `${headersLeftOut} more headers`))
  else if (headers.length === 0) detail.append(element('p', { class: 'quiet' }, 'No headers.'))
  return detail
}

function sizeOf(answer: BytesAnswer | null): string {
  return answer === null ? 'null' : bytes(answer.size)
}

function downloadPath(topic: string, { partition, offset }: RecordAnswer, part: string): string {
  return apiPath(['topics', topic, 'bytes'], { partition, offset, part })
}

function bytesPart(
  name: string,
  answer: BytesAnswer | null,
  download: string,
  more: () => Promise<void>,
): HTMLElement | null {
  if (answer === null || answer.size === 0) return null
  const text = element('pre', { tabindex: 0, 'aria-label': name })
  const choices = element('div', { class: 'choices', role: 'group', 'aria-label': `${name} as` })
  const choose = (view: ByteView): void => {
    text.textContent = shownAs(answer, view)
    for (const each of choices.children) {
      each.setAttribute('aria-pressed', String(each.getAttribute('data-view') === view))
    }
  }
  for (const [view, label] of views) {
    choices.append(button(label, () => choose(view), { 'data-view': view }))
  }
  choose(bestView(answer))
  const part = element('div', { class: 'bytes' })
  part.append(element('div', { class: 'bytes-head' }, element('h2', {}, name), choices), text)
  if (answer.shown < answer.size) part.append(cutNote(answer, download, more))
  return part
}

/** What is not shown, and how to get it. */
function cutNote(answer: BytesAnswer, download: string, more: () => Promise<void>): HTMLElement {
  const note = element('p', { class: 'cut', role: 'status' })
  const hidden = `${bytes(answer.size - answer.shown)} more`
  const isWhole = answer.shown >= 64 * 1024
  const show = button('Show more', () => {
    more().catch((error: unknown) => {
      note.append(` ${messageOf(error)}`)
    })
  })
  const link = element('a', { href: download, download: 'record.bin' }, 'Download')
  note.append(`${hidden}. `, isWhole ? '' : show, ' ', link)
  return note
}

function headersPart({ headers }: RecordAnswer): HTMLElement | null {
  if (headers.length === 0) return null
  const body = element('tbody')
  for (const { key, value } of headers) {
    const cell = element('td', { class: 'mono' }, preview(value, 2000))
    body.append(element('tr', {}, element('th', { scope: 'row' }, visible(key)), cell))
  }
  const caption = element('caption', {}, `Headers (${count(headers.length)})`)
  return element('table', { class: 'headers' }, caption, body)
}
