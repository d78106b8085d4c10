from bff import Client, env

client = Client(env("WELL_URL"), timeout="10s", retries=0)
