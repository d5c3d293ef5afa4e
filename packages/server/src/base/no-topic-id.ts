/** What stands for no id of a topic, as nobody has it: Kafka's ZERO_UUID. */
export const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'
