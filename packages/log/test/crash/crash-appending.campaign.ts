import { crashCampaign } from './campaign-test.ts'

crashCampaign('appending')
