// Apollo Server on Express 5; the backend is asked with datasource-rest.
import { ApolloServer } from '@apollo/server'
import { RESTDataSource } from '@apollo/datasource-rest'
import { expressMiddleware } from '@as-integrations/express5'
import DataLoader from 'dataloader'
import express from 'express'
import { GraphQLError } from 'graphql'
import * as pages from './pages.mjs'
import { deadline, isLate } from './backend.mjs'

const { SAME_WORK } = pages

const typeDefs = `
  enum Status { all open done }
  type Todo { id: ID! title: String! due: String! helper: String }
  type Home { name: String! open: Int! todos: [Todo!]! notice: String! }
  type Fan { values: [Int!]! }
  type Size { count: Int! open: Int! titles: [String!]! }
  type Listed { id: ID! title: String! helper: String helperOfMany: String }
  type List { todos: [Listed!]! }
  type Query {
    home(status: Status = all, limit: Int = 100): Home!
    fan(n: Int!): Fan!
    size(kb: Int!): Size!
    list: List!
  }
`

const failure = (message, status) => new GraphQLError(message, { extensions: { http: { status } } })

class Backend extends RESTDataSource {
  baseURL = pages.BACKEND

  constructor(signal) {
    super({ fetch })
    this.signal = signal
    // One request for all people that a page asks for one by one.
    this.people = new DataLoader(async (ids) => {
      const found = new Map((await this.ask(pages.batchPath(ids))).map((person) => [person.id, person]))
      return ids.map((id) => found.get(id) ?? null)
    })
  }

  async ask(path) {
    try {
      return await this.get(path, { signal: this.signal })
    } catch (error) {
      throw isLate(error) ? failure('timeout', 504) : failure('backend', 502)
    }
  }
}

const resolvers = {
  Query: {
    async home(_, { status, limit }, { backend, user }) {
      if (SAME_WORK && !(limit >= 1 && limit <= 100)) throw failure('limit is from 1 to 100', 400)
      const me = await backend.ask(`/people/${user}`)
      const [todos, people, notice] = await Promise.all(
        pages.homePaths(user, me).map((path) => backend.ask(path)),
      )
      return SAME_WORK
        ? pages.home(me, todos, people, notice, status, limit)
        : pages.home(me, todos, people, notice)
    },
    async fan(_, { n }, { backend }) {
      const paths = Array.from({ length: n }, (_, number) => `/small/${number}`)
      return pages.fan(await Promise.all(paths.map((path) => backend.ask(path))))
    },
    size: async (_, { kb }, { backend }) => pages.size(await backend.ask(`/sized/${kb}`)),
    list: async (_, args, { backend }) => ({ todos: await backend.ask('/listed') }),
  },
  Listed: {
    helper: async (todo, _, { backend }) => (await backend.ask(`/people/${todo.helper_id}`)).name,
    helperOfMany: async (todo, _, { backend }) => (await backend.people.load(todo.helper_id))?.name,
  },
}

const server = new ApolloServer({ typeDefs, resolvers })
await server.start()

const app = express()
app.disable('x-powered-by')
app.set('etag', SAME_WORK ? 'strong' : false)

if (SAME_WORK) {
  const { pino } = await import('pino')
  const log = pino({ base: undefined })
  app.use('/graphql', (request, response, next) => {
    const begun = performance.now()
    const end = response.end
    response.end = function (...rest) {
      if (!response.headersSent) {
        response.setHeader('Server-Timing', `total;dur=${(performance.now() - begun).toFixed(1)}`)
      }
      return end.apply(this, rest)
    }
    response.on('finish', () => {
      const ms = Math.round((performance.now() - begun) * 10) / 10
      log.info({ route: '/graphql', status: response.statusCode, ms })
    })
    next()
  })
}

app.post('/api/sign-in', express.json(), (request, response) => {
  response.set('Set-Cookie', pages.cookieOf(request.body.user)).json({ id: request.body.user })
})

app.use(
  '/graphql',
  express.json(),
  expressMiddleware(server, {
    context: async ({ req }) => {
      const user = SAME_WORK ? pages.opened(req.headers.cookie) : pages.USER
      if (user === undefined) throw failure('sign in first', 401)
      return { user, backend: new Backend(deadline()) }
    },
  }),
)

app.listen(Number(pages.PORT), '127.0.0.1', 2048)
