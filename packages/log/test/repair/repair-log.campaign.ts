// Thousands of damaged logs instead of dozens.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./repair-log.test.ts')
