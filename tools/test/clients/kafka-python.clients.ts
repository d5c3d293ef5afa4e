import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'kafka-python',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['range'],
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
