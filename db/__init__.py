"""The bundle: DuckDB tables and Lance vectors. The only package that speaks SQL or Lance."""
