"""Named places in source files, in the comments of their language."""
