import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'platformatic',
  codecs: ['none', 'gzip', 'snappy', 'lz4'],
  strategies: ['roundrobin'],
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
