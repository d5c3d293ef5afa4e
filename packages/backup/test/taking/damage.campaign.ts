// Hundreds of bits instead of a few.
process.env['VARVE_CAMPAIGN'] = 'long'
await import('./damage.test.ts')
