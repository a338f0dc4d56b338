export { callFailureRules, callKeyRules, sealRules } from './call-rules.ts';
export { afterwardsRules, type FirstOrder, failureRules, placeFirstOrder } from './failure-rules.ts';
export { Calls } from './grpc-call.ts';
export { edgeRules, keyRules, waitingRules } from './http-rules.ts';
export { commandsOf, type Model, resumeAll } from './model.ts';
export { KeyedRequests } from './model-keys.ts';
export { Outage } from './outage.ts';
export { printTable } from './rule.ts';
export { openTarget, shapeOf, startTarget, type Target } from './target.ts';
