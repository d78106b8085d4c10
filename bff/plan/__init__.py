"""What a run needs of a recipe, flat and frozen: plans, how they are made, and the file that `build` writes them to."""
