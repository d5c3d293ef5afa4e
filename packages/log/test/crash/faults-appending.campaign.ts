import { faultCampaign } from './campaign-test.ts'

faultCampaign('appending')
