"""Tables of a page, by column."""

import pandas as pd


def table_with(app, column: str) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if column in frame.value)
