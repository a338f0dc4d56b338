import type { Cluster, Redis } from 'ioredis';

/** A client for one server, for a master found by Sentinel, or for a Cluster. */
export type RedisClient = Redis | Cluster;
