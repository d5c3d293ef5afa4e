// Tens of thousands of changed batches instead of a thousand.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./record-check.test.ts')
