import { crashCampaign } from './campaign-test.ts'

crashCampaign('removing')
