// What tools and tests run this service by.
export * from './config.ts';
export * from './server.ts';
