import type {
  ConnectionAnswer,
  HealthAnswer,
  ListenerAnswer,
  ServerAnswer,
} from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { element, facts, fill } from './dom.ts'
import { bytes, count, counted, duration, visible } from './format.ts'
import { Table } from './table.ts'
import { type PageContext, type View, viewFrame } from './view.ts'

/** The process: how it stands, where it listens, who is connected. */
export class ServerView implements View {
  readonly title = 'Server'
  readonly everyMs = 3000
  readonly element: HTMLElement
  readonly #page: PageContext
  readonly #health = element('div')
  readonly #facts = element('div')
  readonly #summary = element('p', { class: 'summary' })
  readonly #listeners = new Table<ListenerAnswer>(
    'Listeners',
    [
      { title: 'Listener', show: ({ name }) => name },
      { title: 'Listens on', kind: 'mono', show: ({ address }) => address },
      { title: 'Told to clients', kind: 'mono wide', show: ({ advertised }) => advertised },
      { title: 'Connections', kind: 'number', show: ({ connections }) => count(connections) },
    ],
    ({ name }) => name,
    'It listens nowhere.',
  )
  readonly #connections = new Table<ConnectionAnswer>(
    'Connections',
    [
      { title: 'Connection', kind: 'number', show: ({ id }) => count(id), by: ({ id }) => id },
      { title: 'From', kind: 'mono', show: ({ host }) => host, by: ({ host }) => host },
      { title: 'As', kind: 'wide', show: ({ principal }) => visible(principal) },
      {
        title: 'Client',
        show: ({ software }) => (software === '' ? 'does not say' : visible(software)),
        by: ({ software }) => software,
      },
      { title: 'Listener', kind: 'wide', show: ({ listener }) => listener },
      { title: 'Open requests', kind: 'number', show: ({ openRequests }) => count(openRequests) },
    ],
    ({ id }) => String(id),
    'Nobody is connected.',
  )

  constructor(page: PageContext) {
    this.#page = page
    this.element = viewFrame(
      ...(['Server', []] as const),
      this.#health,
      this.#facts,
      element('h2', {}, 'Listeners'),
      this.#listeners.element,
      element('h2', {}, 'Connections'),
      this.#summary,
      this.#connections.element,
    )
  }

  async refresh(signal: AbortSignal): Promise<void> {
    const answer = await ask<ServerAnswer>(apiPath(['server']), signal)
    const { health, listeners, connections, connectionsLeftOut } = answer
    fill(this.#health, healthPart(health))
    fill(this.#facts, this.#factsOf(answer))
    this.#listeners.update(listeners)
    this.#connections.update(connections)
    const more = connectionsLeftOut > 0 ? `, ${count(connectionsLeftOut)} more not shown` : ''
    this.#summary.textContent = `${counted(connections.length, 'connection')}${more}`
  }

  #factsOf(answer: ServerAnswer): HTMLElement {
    const { clusterId, nodeId } = this.#page.session()
    return facts([
      ['Up for', duration(answer.uptimeMs)],
      ['Directory', element('span', { class: 'mono' }, answer.directory)],
      ['Topics', `${count(answer.topics)}, ${counted(answer.partitions, 'partition')}`],
      ['Size', bytes(answer.sizeBytes)],
      ['Memory', bytes(answer.residentBytes)],
      ['Cluster', element('span', { class: 'mono' }, clusterId)],
      ['Node', count(nodeId)],
      ['Node.js', answer.node],
    ])
  }
}

function healthPart({ status, reasons }: HealthAnswer): HTMLElement {
  if (reasons.length === 0) {
    return element('p', { class: 'good' }, 'Everything is as it should be.')
  }
  const items = reasons.map(({ log, message }) =>
    element('li', {}, element('strong', { class: 'mono' }, log), ` ${message}`),
  )
  const text = status === 'failing' ? 'Failing: it has to be started anew.' : 'Degraded.'
  return element('div', { class: 'problem' }, element('p', {}, text), element('ul', {}, ...items))
}
