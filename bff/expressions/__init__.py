"""The language of recipes: Python's expression syntax over JSON values, and nothing else."""
