import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'franz-go',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['range', 'roundrobin', 'sticky', 'cooperative-sticky'],
  hasConsumerProtocol: true,
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
