import { S3Double } from './s3-double.ts'
import { describeTarget } from './target-conformance.ts'

/** More than a page of the double's, which are small. */
const options = { manyFiles: 120, largeBytes: 1_000_000 }

describeTarget(
  'a bucket',
  async () => {
    const double = await S3Double.start()
    return { open: () => double.target() }
  },
  options,
)

describeTarget(
  'a bucket of a server without conditions',
  async () => {
    const double = await S3Double.start()
    double.conditions = 'refused'
    double.knowsBatchDelete = false
    // Who writes the same file at the same time writes again after a while, and not all at once.
    return { open: () => double.target({ retryDelayMs: 20 }) }
  },
  options,
)

describeTarget(
  'a bucket of a server that ignores conditions',
  async () => {
    const double = await S3Double.start()
    double.conditions = 'ignored'
    double.etagsAreMd5 = false
    return { open: () => double.target({ retryDelayMs: 20 }) }
  },
  options,
)
