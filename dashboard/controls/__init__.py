"""Controls of the pages: pickers, filters and sliders."""
