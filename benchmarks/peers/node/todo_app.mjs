// The page `home` of the todo app on PocketBase: what orchestrations/home.yaml and its clients do, by hand in Fastify.
import { ask, deadline } from './backend.mjs'
import { BACKEND, cookieOf } from './pages.mjs'
import { answers, integer, list, object, orNull, text, textOrNull } from './schemas.mjs'

const SORTS = { newest: '-created,-id', oldest: 'created,id', due: 'ended,due_last,id', title: 'title_order,id' }
const SECOND = 1000
const MINUTE = 60 * SECOND
const PEOPLE_AT_ONCE = 100

const pathOf = (collection, query) => `/api/collections/${collection}/records?${new URLSearchParams(query)}`
const COUNTS = pathOf('todo_counts', { perPage: 1000, skipTotal: 1 })
const NOTICES = pathOf('notices', { perPage: 1, skipTotal: 1, sort: '-published', filter: 'published<=@now' })

// Texts in PocketBase's filters, so that they stand for themselves.
const quote = (words) => `'${words.replace(/[\\']/g, '\\$&').replaceAll('\0', '\uFFFD')}'`
const quoteLike = (words) =>
  quote(`%${words.replace(/[\\%_]/g, '\\$&').replace(/@(?=(?:request|collection)\.)/gi, '@\\')}%`)

// What PocketBase said to a visitor: for `ttl` as it is, until `stale` where it fails afterwards.
const kept = new Map()
const MOST_KEPT = 10_000
async function keep(key, ttl, stale, make) {
  const before = kept.get(key)
  const now = Date.now()
  if (before && now - before.at < ttl) return before.value
  const entry = { at: now, value: make() }
  kept.set(key, entry)
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value)
  try {
    return await entry.value
  } catch (error) {
    kept.delete(key)
    if (!before || now - before.at > stale) throw error
    kept.set(key, before)
    return before.value
  }
}

const person = object({ id: text, name: text, picture: textOrNull })
const homeAnswer = object({
  me: object({ id: text, name: text, email: text, picture: textOrNull }),
  todos: list(
    object({
      id: text,
      title: text,
      note: text,
      status: text,
      due: textOrNull,
      finished: textOrNull,
      created: text,
      updated: text,
      owner_id: text,
      owner: orNull(person),
      helper_id: textOrNull,
      helper: orNull(person),
    }),
  ),
  page: integer,
  per_page: integer,
  pages: integer,
  total: integer,
  counts: object({ open: integer, done: integer, paused: integer, closed: integer }),
  notice: orNull(object({ en: text, zh: text, published: text })),
  errors: list(object({ step: text })),
})
const homeQuery = object({
  status: { enum: ['all', 'open', 'done', 'paused', 'closed'], default: 'all' },
  q: { type: 'string', maxLength: 100, default: '' },
  sort: { enum: Object.keys(SORTS), default: 'newest' },
  page: { type: 'integer', minimum: 1, maximum: 100_000, default: 1 },
  per_page: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
})

function foundPath({ status, q, sort, page, per_page }) {
  const parts = []
  if (status !== 'all') parts.push(`status = ${quote(status)}`)
  if (q) parts.push(`(title ~ ${quoteLike(q)} || note ~ ${quoteLike(q)})`)
  const filter = parts.length ? { filter: parts.join(' && ') } : {}
  return pathOf('todo_list', { ...filter, sort: SORTS[sort], page, perPage: per_page })
}

function peoplePaths(todos) {
  const ids = [...new Set([...todos.map((todo) => todo.owner), ...todos.map((todo) => todo.helper)])].filter(Boolean)
  const paths = []
  for (let at = 0; at < ids.length; at += PEOPLE_AT_ONCE) {
    const filter = ids.slice(at, at + PEOPLE_AT_ONCE).map((id) => `id = ${quote(id)}`).join(' || ')
    paths.push(pathOf('people', { expand: 'pictures_via_person', filter, perPage: PEOPLE_AT_ONCE, skipTotal: 1 }))
  }
  return paths
}

const pictureOf = (row) => row.expand?.pictures_via_person?.file ?? null

function countsOf({ items }) {
  const counts = { open: 0, done: 0, paused: 0, closed: 0 }
  for (const { status, total } of items) counts[status] += total
  return counts
}

function shown(todo, people) {
  return {
    id: todo.id,
    title: todo.title,
    note: todo.note,
    status: todo.status,
    due: todo.due ? todo.due.slice(0, 10) : null,
    finished: todo.finished || null,
    created: todo.created,
    updated: todo.updated,
    owner_id: todo.owner,
    owner: people.get(todo.owner) ?? null,
    helper_id: todo.helper || null,
    helper: people.get(todo.helper) ?? null,
  }
}

async function home(request, reply) {
  const { user } = request
  const signal = deadline()
  const headers = { authorization: `Bearer ${user.token}` }
  const errors = []
  const read = (path, until = signal) => ask(path, until, headers)
  const keepOf = (path, ttl, stale, make) => keep(`${user.token} ${path}`, ttl, stale, make)
  const orElse = (step, fallback) => () => {
    errors.push({ step })
    return fallback
  }

  const readMe = () =>
    read(`/api/collections/people/records/${user.id}?expand=pictures_via_person`).catch((error) => {
      if (error.upstream === 404) return null
      throw error
    })
  const readCounts = () => keepOf(COUNTS, 3 * SECOND, 10 * MINUTE, async () => countsOf(await read(COUNTS)))
  const readNotice = () =>
    keepOf(NOTICES, 30 * SECOND, 60 * MINUTE, async () => {
      const { items } = await read(NOTICES, AbortSignal.any([signal, AbortSignal.timeout(300)]))
      return items[0] ?? null
    }).catch(orElse('notice', null))
  const readPeople = async (todos) => {
    const parts = peoplePaths(todos).map((path) =>
      keepOf(path, MINUTE, 60 * MINUTE, async () => {
        const { items } = await read(path)
        return items.map((row) => ({ id: row.id, name: row.name, picture: pictureOf(row) }))
      }),
    )
    return new Map((await Promise.all(parts)).flat().map((one) => [one.id, one]))
  }
  const readTodos = async () => {
    const found = await read(foundPath(request.query))
    return [found, await readPeople(found.items).catch(orElse('people', new Map()))]
  }

  const [me, [found, people], counts, notice] = await Promise.all([readMe(), readTodos(), readCounts(), readNotice()])
  if (me === null) return reply.code(401).send({ error: 'sign in first' })
  return {
    me: { id: user.id, name: me.name, email: user.email, picture: pictureOf(me) },
    todos: found.items.map((todo) => shown(todo, people)),
    page: found.page,
    per_page: found.perPage,
    pages: found.totalPages,
    total: found.totalItems,
    counts,
    notice,
    errors,
  }
}

async function login(request, reply) {
  const { email, password } = request.body
  const answer = await fetch(`${BACKEND}/api/collections/people/auth-with-password`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ identity: email.trim(), password }),
  })
  if (!answer.ok) return reply.code(401).send({ error: 'not signed in' })
  const { record, token } = await answer.json()
  const user = { id: record.id, name: record.name, email: record.email }
  reply.header('Set-Cookie', cookieOf({ ...user, token }))
  return { user }
}

export async function todoApp(app, { signedIn }) {
  app.post('/api/login', login)
  const schema = { ...answers(homeAnswer), querystring: homeQuery }
  app.route({ method: 'GET', url: '/api/home', schema, preHandler: signedIn, handler: home })
}
