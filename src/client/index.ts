export { brokerAddress } from './address.ts';
export { BrokerClient } from './broker-client.ts';
export { joinProject, openProject } from './project.ts';
