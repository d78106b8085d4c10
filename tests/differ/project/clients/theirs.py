from bff import Client, env, forward_token

client = Client(env("SICK_URL"), auth=forward_token("theirs"), timeout=env("SICK_TIMEOUT"), retries=0)
