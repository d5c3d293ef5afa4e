import { allAdminSteps, describeClient } from './describe-client.ts'

/** It has no calls for these. */
const unknown = new Set(['retention', 'alteredRetention', 'morePartitions'])

describeClient({
  name: 'confluent-js',
  codecs: ['none', 'gzip', 'snappy', 'lz4'],
  strategies: ['range'],
  hasConsumerProtocol: true,
  hasTransactions: true,
  adminSteps: allAdminSteps.filter((step) => !unknown.has(step)),
})
