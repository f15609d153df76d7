import createClient, { type Client, type ClientOptions } from 'openapi-fetch';
import type { components, paths } from './schema.js';

export type { components, operations, paths } from './schema.js';

type Schemas = components['schemas'];
export type Project = Schemas['ProjectAnswer'];
export type User = Schemas['UserAnswer'];
export type Image = Schemas['ImageAnswer'];
export type ApiError = Schemas['ErrorAnswer'];

/** `baseUrl` is the API's origin, without a path: the paths of the document begin with the version. */
export function createApiClient(options: ClientOptions & { baseUrl: string }): Client<paths> {
  return createClient<paths>(options);
}
