// The page of the API, made of its OpenAPI document. Text goes into it as text, never as HTML.
const state = { token: null, document: null };
// Characters of an answer, and levels of a schema, that are shown.
const LONGEST = 100_000;
const DEEPEST = 6;

function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const byId = (id) => document.getElementById(id);
const pretty = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function resolve(given) {
  if (!given?.$ref) return given ?? {};
  return given.$ref.slice(2).split('/').reduce((part, name) => part[name], state.document);
}

// --- What is sent and answered ----------------------------------------------------------------------

function typeOf(given) {
  const schema = resolve(given);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map(typeOf).join(' or ');
  if (schema.const !== undefined || schema.enum) return (schema.enum ?? [schema.const]).map(pretty).join(' | ');
  if (schema.type === 'array') return `array of ${typeOf(schema.items)}`;
  const limits = ['minimum', 'maximum', 'minLength', 'maxLength']
    .filter((name) => name in schema).map((name) => `${name} ${schema[name]}`);
  return [schema.format ?? schema.type ?? 'anything', ...limits].join(', ');
}

function fieldsOf(given, depth = 0) {
  const schema = resolve(given);
  const alternatives = schema.anyOf ?? schema.oneOf ?? (schema.items && [schema.items]);
  // A schema may hold itself.
  if (depth > DEEPEST) return null;
  if (alternatives) return fieldsOf(alternatives[0], depth + 1);
  if (!schema.properties) return null;
  return el('ul', { className: 'schema' }, Object.entries(schema.properties).map(([name, part]) => el('li', {},
    el('code', {}, name), ` ${typeOf(part)}`,
    schema.required?.includes(name) ? null : el('span', { className: 'faint' }, ' (optional)'),
    resolve(part).description ? el('span', { className: 'faint' }, ` ${resolve(part).description}`) : null,
    fieldsOf(part, depth + 1))));
}

function examplesOf(content) {
  if (content.examples) {
    return Object.values(content.examples).map((example) => el('pre', {}, pretty(example.value)));
  }
  return content.example === undefined ? [] : [el('pre', {}, pretty(content.example))];
}

function answersOf(operation) {
  return el('div', { className: 'answers' }, el('h3', {}, 'Answers'),
    Object.entries(operation.responses).map(([status, given]) => {
      const answer = resolve(given);
      return el('details', {}, el('summary', {}, el('code', {}, status), ` ${answer.description}`),
        el('p', { className: 'faint' }, `Headers: ${Object.keys(answer.headers ?? {}).join(', ') || 'none'}`),
        Object.entries(answer.content ?? {}).map(([type, content]) => [
          el('p', {}, el('code', {}, type)), content.schema ? fieldsOf(content.schema) : null, examplesOf(content),
        ].flat()).flat());
    }));
}

// --- Trying a call ----------------------------------------------------------------------------------

function inputFor(parameter) {
  const input = el('input', {
    placeholder: String(parameter.example ?? ''),
    value: parameter.in === 'path' ? String(parameter.example ?? '') : '',
    required: parameter.in === 'path',
  });
  const name = `${parameter.name} (${parameter.in})${parameter.description ? `: ${parameter.description}` : ''}`;
  return { parameter, input, label: el('label', {}, name, input) };
}

function bodyInput(operation) {
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (!type) return null;
  if (type === 'multipart/form-data') {
    const input = el('input', { type: 'file', multiple: content.schema.maxProperties !== 1 });
    const read = () => {
      const form = new FormData();
      for (const file of input.files) form.append(file.name, file);
      return { body: form, headers: {} };
    };
    return { read, shown: [el('label', {}, 'Files', input)] };
  }
  const input = el('textarea', { value: pretty(content.example ?? {}), spellcheck: false });
  const read = () => ({ body: input.value, headers: { 'Content-Type': type } });
  return { read, shown: [el('label', {}, `Body (${type})`, input), fieldsOf(content.schema)] };
}

function requestOf(path, method, operation, inputs, body) {
  const query = new URLSearchParams();
  const { body: content, headers } = body?.read() ?? { headers: {} };
  let filled = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '' && parameter.in === 'query') query.set(parameter.name, input.value);
    else if (input.value !== '') headers[parameter.name] = input.value;
  }
  if (state.token && operation.security?.length) headers.Authorization = `Bearer ${state.token}`;
  const url = query.size ? `${filled}?${query}` : filled;
  return [url, { method: method.toUpperCase(), headers, body: content, credentials: 'omit' }];
}

async function shownContent(response) {
  const type = response.headers.get('Content-Type') ?? '';
  if (type.startsWith('image/')) {
    return el('img', { src: URL.createObjectURL(await response.blob()), alt: 'The answer' });
  }
  let text = await response.text();
  if (type.includes('json')) {
    try { text = pretty(JSON.parse(text)); } catch { /* It is shown as it came. */ }
  }
  return text ? el('pre', {}, text.length > LONGEST ? `${text.slice(0, LONGEST)}\n…` : text) : null;
}

async function send(url, options, place) {
  const began = performance.now();
  try {
    const response = await fetch(url, options);
    const content = await shownContent(response);
    const took = Math.round(performance.now() - began);
    place.className = `result ${response.ok ? 'good' : 'bad'}`;
    place.replaceChildren(...[
      el('p', {}, el('span', { className: 'status' }, `${response.status} ${response.statusText}`), ` in ${took} ms`),
      content,
      el('details', {}, el('summary', {}, 'Headers'),
        el('pre', {}, [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n'))),
    ].filter(Boolean));
  } catch (error) {
    place.className = 'result bad';
    place.replaceChildren(el('p', { className: 'status' }, `No answer: ${error.message}`));
  }
}

function tryForm(path, method, operation) {
  const inputs = (operation.parameters ?? []).map((given) => inputFor(resolve(given)));
  const body = bodyInput(operation);
  const place = el('div', { className: 'result', hidden: true, role: 'status' });
  const button = el('button', {}, 'Send');
  const form = el('form', { className: 'try' },
    el('div', { className: 'parameters' }, inputs.map(({ label }) => label), body?.shown ?? []), button);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    place.hidden = false;
    await send(...requestOf(path, method, operation, inputs, body), place);
    button.disabled = false;
  });
  return [form, place];
}

// --- The page ---------------------------------------------------------------------------------------

function tokenNote(operation) {
  if (!operation.security?.length) return null;
  const isOptional = operation.security.some((one) => Object.keys(one).length === 0);
  return el('span', { className: 'token' }, isOptional ? 'token optional' : 'needs a token');
}

function callOf(path, method, operation) {
  const call = el('details', { className: 'call', id: operation.operationId },
    el('summary', {}, el('span', { className: `badge ${method}` }, method.toUpperCase()), el('code', {}, path),
      tokenNote(operation), el('span', { className: 'says' }, operation.summary)));
  call.dataset.words = `${method} ${path} ${operation.summary} ${operation.tags}`.toLowerCase();
  call.addEventListener('toggle', () => {
    if (!call.open || call.dataset.filled) return;
    call.dataset.filled = 'yes';
    call.append(el('div', { className: 'inside' },
      operation.description ? el('p', {}, operation.description) : null,
      tryForm(path, method, operation), answersOf(operation)));
  });
  return call;
}

function showCalls() {
  const groups = new Map(state.document.tags.map(({ name }) => [name, []]));
  for (const [path, operations] of Object.entries(state.document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      groups.get(operation.tags[0]).push(callOf(path, method, operation));
    }
  }
  const sections = [...groups].map(([name, calls]) => el('section', {}, el('h2', {}, name), calls));
  byId('calls').replaceChildren(...sections);
  byId('calls').setAttribute('aria-busy', 'false');
  byId('title').textContent = document.title = state.document.info.title;
  byId('about').textContent = state.document.info.summary ?? '';
}

function openNamedCall() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches('details.call')) {
    named.open = true;
    named.scrollIntoView();
  }
}

function search() {
  const words = byId('search').value.toLowerCase().split(/\s+/);
  for (const call of document.querySelectorAll('details.call')) {
    call.hidden = !words.every((word) => call.dataset.words.includes(word));
  }
  for (const section of document.querySelectorAll('main section')) {
    section.hidden = !section.querySelector('details.call:not([hidden])');
  }
}

function remember(token, who) {
  state.token = token;
  byId('who').textContent = who;
  byId('login').hidden = token !== null;
  byId('logged-in').hidden = token === null;
}

async function logIn(event) {
  event.preventDefault();
  const form = event.target;
  const { email, password } = Object.fromEntries(new FormData(form));
  const said = form.querySelector('output');
  said.textContent = '';
  try {
    const response = await fetch('accounts/login', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    form.reset();
    remember(answer.access_token, email);
  } catch (error) {
    said.textContent = error.message;
  }
}

async function start() {
  byId('login').addEventListener('submit', logIn);
  byId('log-out').addEventListener('click', () => remember(null, ''));
  byId('search').addEventListener('input', search);
  try {
    const response = await fetch('openapi.json');
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    state.document = await response.json();
  } catch (error) {
    byId('calls').replaceChildren(el('p', {}, `The description of the API did not come: ${error.message}`));
    return;
  }
  showCalls();
  openNamedCall();
  addEventListener('hashchange', openNamedCall);
}

start();
