"""What values can be: types as one model, their text, and what JSON Schemas and expressions say of them.

What a backend promises comes in as a JSON Schema, what an expression makes of it goes out as a type. Nothing here
runs while a page is answered.
"""
