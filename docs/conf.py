"""How `make docs` makes a site of these pages."""

project = "bff"
author = copyright = "the bff authors"
extensions = ["myst_parser", "sphinx_llms_txt"]
# The requests in ```http blocks have no HTTP/1.1 behind them.
suppress_warnings = ["misc.highlighting_failure"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "bff"
html_show_sphinx = False
llms_txt_summary = "Pages of an app from recipes: one YAML file a page, its backends asked side by side."
