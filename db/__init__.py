"""The bundle: DuckDB tables and Lance vectors. The only package that speaks SQL or Lance."""

__version__ = "0.1.0"
"""Version of Headlight; here because every other package can read it, and pyproject.toml does."""
