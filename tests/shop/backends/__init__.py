"""The backends of the shop, each with the flaws that real ones of its kind have."""
