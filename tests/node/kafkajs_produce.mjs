// Produces one message for each key of a JSON array on the standard input, with kafkajs and the partitioner that it has by
// default (that of Java's clients): kafkajs_produce.mjs BROKERS TOPIC
import { readFileSync } from 'node:fs';
import { Kafka, Partitioners, logLevel } from 'kafkajs';

const [brokers, topic] = process.argv.slice(2);
const keys = JSON.parse(readFileSync(0, 'utf8'));
const kafka = new Kafka({ clientId: 'tests', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
await producer.send({ topic, messages: keys.map((key) => ({ key, value: '{}' })) });
await producer.disconnect();
