// What Fastify is told about answers.
export const text = { type: 'string' }
export const textOrNull = { type: ['string', 'null'] }
export const integer = { type: 'integer' }
export const object = (properties) => ({ type: 'object', properties })
export const orNull = (schema) => ({ ...schema, nullable: true })
export const list = (items) => ({ type: 'array', items })
export const answers = (schema) => ({ response: { 200: schema } })
