"""All commands except `run`, `part` and `merge`: one module or package per command."""
