from bff import Client, env

client = Client(env("SICK_URL"), timeout=env("SICK_TIMEOUT", "10s"), retries=0, verify=env("AUTHORITY"))
