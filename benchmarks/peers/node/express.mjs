// Express 5; the backend is asked with undici, or with Node's own fetch.
import express from 'express'
import * as pages from './pages.mjs'
import { ask, askAll, deadline, isLate } from './backend.mjs'

const { SAME_WORK } = pages
const app = express()
app.disable('x-powered-by')
app.set('etag', SAME_WORK ? 'strong' : false)

let homeQuery
if (SAME_WORK) {
  const { pino } = await import('pino')
  const { z } = await import('zod')
  const log = pino({ base: undefined })
  homeQuery = z.object({
    status: z.enum(['all', 'open', 'done']).default('all'),
    limit: z.coerce.number().int().min(1).max(100).default(100),
  })
  app.use('/api', (request, response, next) => {
    request.begun = performance.now()
    response.on('finish', () => {
      const ms = Math.round((performance.now() - request.begun) * 10) / 10
      log.info({ route: request.baseUrl + request.path, status: response.statusCode, ms })
    })
    next()
  })
}

app.post('/api/sign-in', express.json(), (request, response) => {
  response.set('Set-Cookie', pages.cookieOf(request.body.user)).json({ id: request.body.user })
})

function signedIn(request, response, next) {
  request.user = SAME_WORK ? pages.opened(request.headers.cookie) : pages.USER
  if (request.user === undefined) response.status(401).json({ error: 'sign in first' })
  else next()
}

function answer(request, response, page) {
  if (SAME_WORK) {
    response.set('Server-Timing', `total;dur=${(performance.now() - request.begun).toFixed(1)}`)
  }
  response.json(page)
}

app.get('/api/home', signedIn, async (request, response) => {
  let query = {}
  if (SAME_WORK) {
    const checked = homeQuery.safeParse(request.query)
    if (!checked.success) return response.status(400).json({ error: checked.error.issues })
    query = checked.data
  }
  const signal = deadline()
  const me = await ask(`/people/${request.user}`, signal)
  const [todos, people, notice] = await askAll(pages.homePaths(request.user, me), signal)
  answer(request, response, pages.home(me, todos, people, notice, query.status, query.limit))
})

app.get('/api/fan', signedIn, async (request, response) => {
  const paths = Array.from({ length: Number(request.query.n) }, (_, number) => `/small/${number}`)
  answer(request, response, pages.fan(await askAll(paths, deadline())))
})

app.get('/api/size', signedIn, async (request, response) => {
  answer(request, response, pages.size(await ask(`/sized/${Number(request.query.kb)}`, deadline())))
})

app.get('/api/list', signedIn, async (request, response) => {
  const signal = deadline()
  const todos = await ask('/listed', signal)
  const ids = pages.idsOf(todos)
  const helpers =
    request.query.way === 'batch'
      ? await ask(pages.batchPath(ids), signal)
      : await askAll(ids.map((id) => `/people/${id}`), signal)
  answer(request, response, pages.listed(todos, helpers))
})

if (process.env.PUBLIC) app.use(express.static(process.env.PUBLIC))

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error)
  if (isLate(error)) response.status(504).json({ error: 'timeout' })
  else response.status(502).json({ error: 'backend' })
})

app.listen(Number(pages.PORT), '127.0.0.1', 2048)
