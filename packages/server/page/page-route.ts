/** Where in the page somebody is: what stands behind the `#` of its address. */
export type PageRoute =
  | { readonly view: 'topics' | 'groups' | 'cleaning' | 'backups' | 'server' }
  | { readonly view: 'topic'; readonly topic: string; readonly tab: TopicTab }
  | { readonly view: 'partition'; readonly topic: string; readonly partition: number }
  | { readonly view: 'group'; readonly group: string }
  | { readonly view: 'unknown' }

export type TopicTab = 'partitions' | 'records' | 'groups' | 'settings'

export const topicTabs: readonly TopicTab[] = ['partitions', 'records', 'groups', 'settings']

const sections = ['topics', 'groups', 'cleaning', 'backups', 'server'] as const

/** `#/topics/orders/records` and its like. */
export function routeOf(hash: string): PageRoute {
  const path = hash.replace(/^#\/?/, '').split('?')[0] ?? ''
  const parts = path.split('/').map(decoded)
  const [section = '', name, tab, number] = parts
  if (section === '') return { view: 'topics' }
  if (name === undefined) {
    const view = sections.find((each) => each === section)
    return view === undefined ? { view: 'unknown' } : { view }
  }
  if (section === 'groups' && parts.length === 2) return { view: 'group', group: name }
  if (section !== 'topics') return { view: 'unknown' }
  if (tab === 'partitions' && number !== undefined && /^\d+$/.test(number)) {
    return { view: 'partition', topic: name, partition: Number(number) }
  }
  const found = topicTabs.find((each) => each === (tab ?? 'partitions'))
  return found === undefined ? { view: 'unknown' } : { view: 'topic', topic: name, tab: found }
}

export function topicLink(topic: string, tab: TopicTab = 'partitions'): string {
  return `#/topics/${encodeURIComponent(topic)}/${tab}`
}

export function partitionLink(topic: string, partition: number): string {
  return `${topicLink(topic)}/${partition}`
}

export function groupLink(group: string): string {
  return `#/groups/${encodeURIComponent(group)}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
