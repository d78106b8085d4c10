"""What a recipe does, for those who write and review it: in words, as a drawing, and one expression at a time.

Everything is taken from the plan that the executor runs, and from the recipe that the plan was made of: its graph, its
taint, its decoders. Statuses and headers are asked of the code that answers with them. So a page that changes is
explained anew, and nothing here has to be kept in step by hand. Nothing that runs a page loads any of this.
"""
