from bff import ApiKey, Client, env

client = Client(base_url=env("NOTICES_URL"), auth=ApiKey("X-Notices-Key", env("NOTICES_KEY")))
