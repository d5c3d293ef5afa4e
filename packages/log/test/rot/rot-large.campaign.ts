// Ten thousand random bits of four megabytes.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./rot-large.test.ts')
