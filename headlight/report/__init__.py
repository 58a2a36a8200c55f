"""The static report of a bundle: plain HTML that opens from disk, without a server.

Not to be confused with `dashboard.report`, which prints the validation scores as Markdown. Values come from
`dashboard.data`, so that they are those of the pages; layout is in `templates`. Knows nothing of Streamlit
itself.
"""
