from bff import Client, env

client = Client(base_url=env("HANGING_URL"), breaker=None, concurrency=200)
