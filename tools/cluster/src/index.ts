export { type Cluster, type ClusterEvent, type ClusterOptions, DEFAULT_STATE_DIR, startCluster } from './cluster.ts';
export { mainOf, type Overrides, REPOSITORY, SERVICES, type ServiceName, TENANT_ID } from './cluster-plan.ts';
export { settingsOf, skipsPooler, startPooler } from './pooler.ts';
export { chooseFreePorts } from './ports.ts';
export { type RunFile, type RunningService, readRunFile } from './run-file.ts';
export { isServing } from './supervision/serving.ts';
export { superviseProcess } from './supervision/supervised-process.ts';
export { superviseStateDir } from './supervision/supervision-record.ts';
