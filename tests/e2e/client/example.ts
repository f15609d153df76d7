// Lists a user's projects with the typed client: example.html?api=http://127.0.0.1:5000&user=maker
import { createApiClient, type Project } from './client.js';

const asked = new URLSearchParams(location.search);
const api = createApiClient({ baseUrl: asked.get('api') ?? 'http://127.0.0.1:5000' });

function shown(project: Partial<Project>): HTMLElement {
  const article = document.createElement('article');
  const title = document.createElement('h2');
  title.textContent = project.title ?? '';
  const text = document.createElement('div');
  // The API has cleaned it: it is safe to put into a page as it is.
  text.innerHTML = project.html ?? '';
  article.append(title, text);
  return article;
}

async function projectsOf(username: string): Promise<HTMLElement[]> {
  const { data, error } = await api.GET('/v1/users/{username}/projects', {
    params: { path: { username }, query: { limit: 20 } },
  });
  if (error) throw new Error(error.error.message);
  return data.map(shown);
}

const main = document.querySelector('main')!;
try {
  const projects = await projectsOf(asked.get('user') ?? 'maker');
  main.replaceChildren(...(projects.length > 0 ? projects : ['Nothing is published yet.']));
} catch (error) {
  main.textContent = error instanceof Error ? error.message : String(error);
}
main.ariaBusy = 'false';
