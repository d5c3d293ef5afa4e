import type { BackupsAnswer, RepositoryAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { element, facts, fill } from './dom.ts'
import { ago, bytes, count, counted, duration } from './format.ts'
import { type View, viewFrame } from './view.ts'

/** A backup that nobody has read for so long is not one to rely on. */
const oldMs = 7 * 86_400_000

/** The backup repositories, and how old the last backup is that was found sound. */
export class BackupsView implements View {
  readonly title = 'Backups'
  readonly everyMs = 3000
  readonly element: HTMLElement
  readonly #list = element('div', { class: 'cards' })

  constructor() {
    this.element = viewFrame('Backups', [], this.#list)
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const { repositories, nowMs } = await ask<BackupsAnswer>(apiPath(['backups']), signal)
    if (repositories.length === 0) {
      const text = 'No backup repository is shown here: name one with --ui-repository.'
      fill(this.#list, element('p', { class: 'empty' }, text))
    } else fill(this.#list, ...repositories.map((each) => card(each, nowMs)))
  }
}

function card(repository: RepositoryAnswer, nowMs: number): HTMLElement {
  const { name, lookedMs, error, objects, storedBytes, sources, lastDrill } = repository
  const made = element('section', { class: 'card' }, element('h2', { class: 'mono' }, name))
  if (error !== null) made.append(element('p', { class: 'problem' }, error))
  if (lookedMs === null) {
    made.append(element('p', { class: 'quiet' }, 'Being looked at …'))
    return made
  }
  if (sources.length === 0)
    made.append(element('p', { class: 'empty' }, 'It holds no backups yet.'))
  for (const source of sources) made.append(sourcePart(source, nowMs))
  const drill =
    lastDrill === null
      ? 'never'
      : `${ago(lastDrill.atMs, nowMs)}, restored in ${duration(lastDrill.recoveryMs)}, ` +
        (lastDrill.findings === 0 ? 'all was right' : counted(lastDrill.findings, 'finding'))
  made.append(
    facts([
      ['Stored', `${bytes(storedBytes)} in ${counted(objects, 'object')}`],
      ['Last restore drill', drill],
      ['Looked at', ago(lookedMs, nowMs)],
    ]),
  )
  return made
}

function sourcePart(source: RepositoryAnswer['sources'][number], nowMs: number): HTMLElement {
  const { newestMs, newestVerifiedMs, damaged, backups } = source
  const isOld = newestVerifiedMs === null || nowMs - newestVerifiedMs > oldMs
  const verified = element(
    'strong',
    { class: isOld ? 'warn' : 'good' },
    newestVerifiedMs === null ? 'none' : ago(newestVerifiedMs, nowMs),
  )
  const bad = damaged === 0 ? null : element('strong', { class: 'bad' }, count(damaged))
  return facts([
    ['Source', element('span', { class: 'mono' }, source.source)],
    ['Backups', count(backups)],
    ['Newest', ago(newestMs, nowMs)],
    ['Newest verified', verified],
    ['Damaged', bad],
  ])
}
