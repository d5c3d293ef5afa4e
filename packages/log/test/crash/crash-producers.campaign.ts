import { crashCampaign } from './campaign-test.ts'

crashCampaign('producers')
