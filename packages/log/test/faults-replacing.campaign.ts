import { faultCampaign } from './crash/campaign-test.ts'

faultCampaign('replacing')
