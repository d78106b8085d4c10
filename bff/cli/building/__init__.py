"""What `build` does with the files that targets give: writes them, and tells of them."""
