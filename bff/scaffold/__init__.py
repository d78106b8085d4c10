"""New projects, and what is added to one: files from templates, and never over a file that is there."""

from bff.scaffold.addition import added
from bff.scaffold.project import TEMPLATES, files_of
from bff.scaffold.writing import write_beside, write_new

__all__ = ["TEMPLATES", "added", "files_of", "write_beside", "write_new"]
