"""Tries through stock requests, on threads: proxies, client certificates, code that signs, mocks of requests."""
