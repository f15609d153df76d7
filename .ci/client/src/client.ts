import createClient, { mergeHeaders, type Client, type ClientOptions } from 'openapi-fetch';
import type { components, paths } from './schema.js';

export type { components, operations, paths } from './schema.js';

type Schemas = components['schemas'];
export type Project = Schemas['ProjectAnswer'];
export type User = Schemas['UserAnswer'];
export type Image = Schemas['ImageAnswer'];
export type ApiError = Schemas['ErrorAnswer'];

// What the client asks for: errors in the envelope, not as Problem Details.
type Media = 'application/json';

/** `baseUrl` is the API's origin, without a path: the paths of the document begin with the version. */
export function createApiClient(options: ClientOptions & { baseUrl: string }): Client<paths, Media> {
  const headers = mergeHeaders({ Accept: 'application/json' }, options.headers);
  return createClient<paths, Media>({ ...options, headers });
}
