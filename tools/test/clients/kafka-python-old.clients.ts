import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'kafka-python-old',
  codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  strategies: ['range'],
  hasTransactions: false,
  adminSteps: allAdminSteps.filter((step) => step !== 'deletedBefore'),
})
