from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers='localhost:9092')
for i in range(10): producer.send('test_topic', bytes(f'message_{i}', encoding='utf-8'))
producer.flush(); producer.close()
