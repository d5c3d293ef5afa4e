// Thousands of lives instead of dozens.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./log-model.test.ts')
