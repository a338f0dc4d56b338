export { Calls } from './grpc-call.ts';
export { commandsOf, type Model, resumeAll } from './model.ts';
export { KeyedRequests } from './model-keys.ts';
export { Outage } from './outage.ts';
export { callFailureRules, callKeyRules, sealRules } from './rules/call-rules.ts';
export { afterwardsRules, type FirstOrder, failureRules, placeFirstOrder } from './rules/failure-rules.ts';
export { edgeRules, keyRules, waitingRules } from './rules/http-rules.ts';
export { printTable } from './rules/rule.ts';
export { openTarget, shapeOf, startTarget, type Target } from './target.ts';
