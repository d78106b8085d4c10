// Fastify 5; the backend is asked with undici.
import { createHash } from 'node:crypto'
import Fastify from 'fastify'
import * as pages from './pages.mjs'
import { ask, askAll, deadline, isLate, sickNotices } from './backend.mjs'
import { answers, integer, list, object, text, textOrNull } from './schemas.mjs'

const { SAME_WORK } = pages
const app = Fastify({ logger: SAME_WORK && { base: undefined }, disableRequestLogging: true })

const homeAnswer = object({
  name: text,
  open: integer,
  todos: list(object({ id: text, title: text, due: text, helper: textOrNull })),
  notice: text,
})
const partialAnswer = object({ ...homeAnswer.properties, notice: textOrNull })
const homeQuery = object({
  status: { enum: ['all', 'open', 'done'], default: 'all' },
  limit: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
})

app.decorateRequest('user', undefined)
app.decorateRequest('begun', 0)

async function signedIn(request, reply) {
  request.user = SAME_WORK ? pages.opened(request.headers.cookie) : pages.USER
  if (request.user === undefined) return reply.code(401).send({ error: 'sign in first' })
}

if (SAME_WORK) {
  app.addHook('onRequest', (request, reply, done) => {
    request.begun = performance.now()
    done()
  })
  app.addHook('onSend', (request, reply, body, done) => {
    reply.header('Server-Timing', `total;dur=${(performance.now() - request.begun).toFixed(1)}`)
    if (request.method === 'GET' && reply.statusCode === 200 && typeof body === 'string') {
      const etag = `"${createHash('sha1').update(body).digest('base64')}"`
      reply.header('ETag', etag)
      if (request.headers['if-none-match'] === etag) {
        reply.code(304)
        return done(null, '')
      }
    }
    done(null, body)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const ms = Math.round((performance.now() - request.begun) * 10) / 10
    request.server.log.info({ route: request.routeOptions.url, status: reply.statusCode, ms })
    done()
  })
}

app.setErrorHandler((error, request, reply) => {
  if (error.validation) return reply.code(400).send({ error: error.message })
  if (isLate(error)) return reply.code(504).send({ error: 'timeout' })
  return reply.code(502).send({ error: 'backend' })
})

app.post('/api/sign-in', async (request, reply) => {
  reply.header('Set-Cookie', pages.cookieOf(request.body.user))
  return { id: request.body.user }
})

app.route({
  method: 'GET',
  url: '/api/home',
  schema: { ...answers(homeAnswer), ...(SAME_WORK && { querystring: homeQuery }) },
  preHandler: signedIn,
  handler: async (request) => {
    const signal = deadline()
    const me = await ask(`/people/${request.user}`, signal)
    const [todos, people, notice] = await askAll(pages.homePaths(request.user, me), signal)
    const { status, limit } = SAME_WORK ? request.query : {}
    return pages.home(me, todos, people, notice, status, limit)
  },
})

for (const [kind, askNotices] of sickNotices) {
  for (const fallback of [true, false]) {
    app.route({
      method: 'GET',
      url: `/api/sick-${kind}-${fallback ? 'fallback' : 'required'}`,
      schema: { ...answers(partialAnswer), querystring: homeQuery },
      preHandler: signedIn,
      handler: async (request) => {
        const signal = deadline()
        const latest = async (path) => {
          try {
            return await askNotices(path, signal)
          } catch (error) {
            if (fallback) return { text: null }
            throw error
          }
        }
        const me = await ask(`/people/${request.user}`, signal)
        const [ofTodos, ofPeople, ofNotice] = pages.homePaths(request.user, me)
        const [todos, people, notice] = await Promise.all([ask(ofTodos, signal), ask(ofPeople, signal), latest(ofNotice)])
        return pages.home(me, todos, people, notice, request.query.status, request.query.limit)
      },
    })
  }
}

app.route({
  method: 'GET',
  url: '/api/fan',
  schema: answers(object({ values: list(integer) })),
  preHandler: signedIn,
  handler: async (request) => {
    const paths = Array.from({ length: Number(request.query.n) }, (_, number) => `/small/${number}`)
    return pages.fan(await askAll(paths, deadline()))
  },
})

app.route({
  method: 'GET',
  url: '/api/size',
  schema: answers(object({ count: integer, open: integer, titles: list(text) })),
  preHandler: signedIn,
  handler: async (request) => pages.size(await ask(`/sized/${Number(request.query.kb)}`, deadline())),
})

app.route({
  method: 'GET',
  url: '/api/list',
  schema: answers(object({ todos: list(object({ id: text, title: text, helper: textOrNull })) })),
  preHandler: signedIn,
  handler: async (request) => {
    const signal = deadline()
    const todos = await ask('/listed', signal)
    const ids = pages.idsOf(todos)
    const helpers =
      request.query.way === 'batch'
        ? await ask(pages.batchPath(ids), signal)
        : await askAll(ids.map((id) => `/people/${id}`), signal)
    return pages.listed(todos, helpers)
  },
})

if (process.env.TODO_APP) {
  const { todoApp } = await import('./todo_app.mjs')
  await app.register(todoApp, { prefix: '/todo-app', signedIn })
}

await app.listen({ host: '127.0.0.1', port: Number(pages.PORT), backlog: 2048 })
