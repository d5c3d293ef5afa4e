import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'java-4',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['range'],
  hasConsumerProtocol: true,
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
