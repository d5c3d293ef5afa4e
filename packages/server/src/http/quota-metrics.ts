import type { QuotaMeter, QuotaName } from '../quotas/quota-meter.ts'
import type { MetricsText } from './metrics-text.ts'

/** Kafka's names of what keeps clients to a quota. */
const resources: Readonly<Record<QuotaName, string>> = {
  producer_byte_rate: 'Produce',
  consumer_byte_rate: 'Fetch',
  request_percentage: 'Request',
  controller_mutation_rate: 'ControllerMutation',
}

/** What clients that are held to quotas have used of them, and how they were held back. */
export function addQuotas(
  text: MetricsText,
  held: { readonly meters: Iterable<QuotaMeter>; readonly refusedConnections: number },
  nowMs: number,
): void {
  const all = [...held.meters]
  const family = (
    what: string,
    help: string,
    names: readonly QuotaName[],
    of: (meter: QuotaMeter) => number,
  ): void => {
    const series = all
      .filter(({ name }) => names.includes(name))
      .map((meter) => {
        const { name, user, clientId } = meter
        return [{ resource: resources[name], user, clientId }, of(meter)] as const
      })
    text.family('gauge', `kafka_server_quota_${what}`, help, series)
  }
  const rate = (meter: QuotaMeter): number => meter.rate(nowMs)
  const bytes = ['producer_byte_rate', 'consumer_byte_rate'] as const
  family('byte_rate', 'Bytes a second of those who have a quota.', bytes, rate)
  const percent = 'Percents of the event loop of those who have a quota.'
  family('request_time', percent, ['request_percentage'], rate)
  const mutations = ['controller_mutation_rate'] as const
  family('mutation_rate', 'Partitions a second that were made or removed.', mutations, rate)
  family('tokens', 'Partitions that may be made or removed at once.', mutations, (meter) => {
    return meter.bucket.tokens(meter.limit, nowMs)
  })
  const names = Object.keys(resources) as QuotaName[]
  family('throttle_time', 'How long clients were held back, in ms on average.', names, (meter) => {
    return meter.throttleMs(nowMs)
  })
  text.single(
    ...(['counter', 'varve_server_connections_throttled_total'] as const),
    'Connections refused for the rate of their address.',
    held.refusedConnections,
  )
}
