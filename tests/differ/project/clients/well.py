from bff import Client, env

client = Client(env("WELL_URL"), timeout=env("WELL_TIMEOUT"), retries=0)
