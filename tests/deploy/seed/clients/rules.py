"""The rules and who looks at them, in a PocketBase."""

from bff import Client, env

client = Client(base_url=env("RULES_URL"), timeout="10s")
