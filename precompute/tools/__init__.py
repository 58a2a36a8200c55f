"""Every command but `run`, `part` and `merge`: one module or package a command."""
