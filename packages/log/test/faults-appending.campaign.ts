import { faultCampaign } from './crash/campaign-test.ts'

faultCampaign('appending')
