"""What few calls need, each in a file of its own, around every try of a call: bounds, breaker, hedge, store, retry.

`bff/http/tries.py` puts those around a call that its client and request declare, the innermost first. All have the
shape that `layer.py` gives them, and none knows another.
"""
