// Every bit of every small shape.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./rot.test.ts')
