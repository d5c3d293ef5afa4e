import { allAdminSteps, describeClient } from './describe-client.ts'

describeClient({
  name: 'kafkajs',
  codecs: ['none', 'gzip', 'snappy'],
  strategies: ['roundrobin'],
  hasTransactions: true,
  adminSteps: allAdminSteps,
})
