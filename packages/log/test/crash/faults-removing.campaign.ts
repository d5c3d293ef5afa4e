import { faultCampaign } from './campaign-test.ts'

faultCampaign('removing')
