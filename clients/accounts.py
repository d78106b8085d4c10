"""Signing in and up, in PocketBase: slow on purpose, so few at a time and with a breaker of their own."""

from bff import Client, env

client = Client(
    base_url=env("PEOPLE_URL", default="http://127.0.0.1:8090"),
    timeout="5s",
    # Each check of a password costs the backend a tenth of a second of a processor: many at once would all be given
    # up and tried again, and nobody would get in; and those who are in would wait for it.
    concurrency=8,
    schema="pocketbase.openapi.yaml",
)
