import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'java-3.9',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['cooperative-sticky'],
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
