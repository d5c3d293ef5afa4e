import { faultCampaign } from './campaign-test.ts'

faultCampaign('replacing')
