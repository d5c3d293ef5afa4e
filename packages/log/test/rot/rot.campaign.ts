// Every bit of every small shape, ten thousand of a large one.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./rot.test.ts')
