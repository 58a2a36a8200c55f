"""Charts: DataFrame in, Altair chart out. Knows no Streamlit and no bundle."""
