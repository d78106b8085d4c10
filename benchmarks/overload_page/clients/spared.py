from bff import Client, env

client = Client(base_url=env("HANGING_URL"), concurrency=200)
