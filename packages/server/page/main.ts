import type { SessionAnswer } from '../src/ui/answers.js'
import { apiPath, ask } from './api.ts'
import { BackupsView } from './backups-view.ts'
import { CleaningView } from './cleaning-view.ts'
import { announce, element, fill } from './dom.ts'
import { GroupView } from './group-view.ts'
import { GroupsView } from './groups-view.ts'
import { type PageRoute, routeOf } from './page-route.ts'
import { PartitionView } from './partition-view.ts'
import { ServerView } from './server-view.ts'
import { TopicView } from './topic-view.ts'
import { TopicsView } from './topics-view.ts'
import { messageOf, type PageContext, showProblem, type View, viewFrame } from './view.ts'

const sections = ['topics', 'groups', 'cleaning', 'backups', 'server'] as const
const sessionMs = 5000

/** The page: one view at a time, brought up to date while somebody looks. */
class Page implements PageContext {
  #session: SessionAnswer
  #view: View | null = null
  #asking: AbortController | null = null
  #timer = 0

  constructor(session: SessionAnswer) {
    this.#session = session
  }

  session(): SessionAnswer {
    return this.#session
  }

  start(): void {
    addEventListener('hashchange', () => this.#show(true))
    document.addEventListener('visibilitychange', () => this.refresh())
    document.addEventListener('keydown', toSearch)
    setInterval(() => void this.#lookAtSession(), sessionMs)
    showHealth(this.#session, null)
    this.#show(false)
  }

  refresh(): void {
    clearTimeout(this.#timer)
    this.#asking?.abort()
    const view = this.#view
    if (view === null || document.hidden) return
    const asking = new AbortController()
    this.#asking = asking
    const done = (error: unknown): void => {
      if (asking.signal.aborted || this.#view !== view) return
      showProblem(view.element, error)
      this.#timer = setTimeout(() => this.refresh(), view.everyMs)
    }
    view.refresh(asking.signal).then(() => done(null), done)
  }

  #show(isMoved: boolean): void {
    this.#view?.close?.()
    const route = routeOf(location.hash)
    const view = this.#viewOf(route)
    this.#view = view
    document.title = `${view.title} · Varve`
    const main = document.getElementById('main')
    if (main !== null) fill(main, view.element)
    showSection(route)
    if (isMoved) {
      view.element.querySelector<HTMLElement>('h1')?.focus()
      scrollTo(0, 0)
      announce(view.title)
    }
    this.refresh()
  }

  #viewOf(route: PageRoute): View {
    switch (route.view) {
      case 'topics':
        return new TopicsView(this)
      case 'topic':
        return new TopicView(this, route.topic, route.tab)
      case 'partition':
        return new PartitionView(route.topic, route.partition)
      case 'groups':
        return new GroupsView(this)
      case 'group':
        return new GroupView(this, route.group)
      case 'cleaning':
        return new CleaningView(this)
      case 'backups':
        return new BackupsView()
      case 'server':
        return new ServerView(this)
      case 'unknown':
        return nothingHere()
    }
  }

  async #lookAtSession(): Promise<void> {
    if (document.hidden) return
    try {
      const before = this.#session
      this.#session = await ask<SessionAnswer>(apiPath(['session']))
      showHealth(this.#session, null)
      // What can be done is another thing than before.
      if (before.writes !== this.#session.writes) this.#show(false)
    } catch (error) {
      showHealth(this.#session, error)
    }
  }
}

function nothingHere(): View {
  const back = element('p', { class: 'empty' }, 'There is nothing here. ')
  back.append(element('a', { href: '#/topics' }, 'To the topics'))
  const view = viewFrame('Not found', [], back)
  return { title: 'Not found', element: view, everyMs: 3_600_000, refresh: async () => undefined }
}

function showSection(route: PageRoute): void {
  const nav = document.getElementById('nav')
  if (nav === null) return
  const current = { topic: 'topics', partition: 'topics', group: 'groups' } as const
  const view = route.view in current ? current[route.view as keyof typeof current] : route.view
  const links = sections.map((section) => {
    const text = (section[0] ?? '').toUpperCase() + section.slice(1)
    const attributes = { href: `#/${section}`, 'aria-current': section === view ? 'page' : null }
    return element('a', attributes, text)
  })
  fill(nav, ...links)
}

function showHealth({ health, writes }: SessionAnswer, error: unknown): void {
  const place = document.getElementById('health')
  if (place === null) return
  const { status, reasons } = health
  const text = error === null ? (status === 'ok' ? 'healthy' : status) : messageOf(error)
  const kind = error !== null || status === 'failing' ? 'bad' : status === 'ok' ? 'good' : 'warn'
  const label = reasons.length === 0 || error !== null ? text : `${text} (${reasons.length})`
  const shown = `${kind} ${label} ${writes}`
  if (place.dataset['shown'] === shown) return
  place.dataset['shown'] = shown
  fill(
    place,
    writes ? element('span', { class: 'writes' }, 'changes allowed') : null,
    element('a', { href: '#/server', class: kind }, label),
  )
}

/** `/` goes to the search of what is shown, unless somebody is writing. */
function toSearch(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  const isWriting = target.matches('input, select, textarea')
  if (event.key === 'Escape' && target.matches('[data-search]')) target.blur()
  if (event.key !== '/' || isWriting || event.ctrlKey || event.metaKey || event.altKey) return
  const search = document.querySelector<HTMLInputElement>('main [data-search]')
  if (search === null) return
  event.preventDefault()
  search.focus()
  search.select()
}

async function begin(): Promise<void> {
  try {
    new Page(await ask<SessionAnswer>(apiPath(['session']))).start()
  } catch (error) {
    const main = document.getElementById('main')
    if (main === null) return
    const view = viewFrame('Varve', [], element('p', {}, 'Trying again …'))
    showProblem(view, error)
    fill(main, view)
    setTimeout(() => void begin(), 2000)
  }
}

void begin()
