from bff import Client, env

client = Client(env("SICK_URL"), timeout=env("SICK_TIMEOUT"), retries=0, concurrency=1)
