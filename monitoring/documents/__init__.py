"""Documents generated from the definitions."""

# What regenerates them.
COMMAND = "make docs"
# The environment whose default settings they show.
ENVIRONMENT = "prd"
