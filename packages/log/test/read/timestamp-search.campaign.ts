// A thousand logs instead of dozens.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./timestamp-search.test.ts')
