// Forty backups that are cut off instead of a few.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./s3-crash.test.ts')
