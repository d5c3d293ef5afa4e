import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'confluent-python',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['range', 'cooperative-sticky'],
  hasConsumerProtocol: true,
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
