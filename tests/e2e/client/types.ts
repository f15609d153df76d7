// Compiled and never run: what the client's types must refuse. The compiler complains where it finds no error.
import { createApiClient } from './client.js';

const api = createApiClient({ baseUrl: 'http://127.0.0.1:5000' });

export async function refused(): Promise<void> {
  // @ts-expect-error There is no such path.
  await api.GET('/v1/nowhere');
  // @ts-expect-error The path does not take this method.
  await api.DELETE('/v1/projects');
  // @ts-expect-error A project needs a body.
  await api.POST('/v1/projects', { body: { title: 'A chair' } });
  // @ts-expect-error A username is a string.
  await api.GET('/v1/users/{username}', { params: { path: { username: 7 } } });
  const { data } = await api.GET('/v1/users/{username}', { params: { path: { username: 'maker' } } });
  // @ts-expect-error A user has no password.
  console.log(data?.password);
}
