import { crashCampaign } from './crash/campaign-test.ts'

crashCampaign('producers')
