"""Colors, words and sizes that charts share."""

import altair as alt

UNIT = "contribution to cosine similarity x 1000"
BLUE, ORANGE, PURPLE, GRAY = "#0072b2", "#e08214", "#7b5aa6", "#8c8c8c"

LABEL_COLORS = ["#7fb8d8", "#f2cf7f", "#7fceb9", "#e5bcd3", "#aad9f4", "#eaae7f", "#f7f1a0", "#ccccaa"]
"""Okabe and Ito: eight colors that differ without red-green vision; lightened for dark words."""

WEAK, EDGE = "#e9e9e9", "#d5dae0"
"""Cells of unsupported labels; the edge of cells, without which a white one has none."""

CELL_WIDTH = alt.expr("max(24, bandwidth('x') - 4)")
"""Largest width of the words in a cell of a grid, pixels; longer ones end in dots."""

Layers = alt.LayerChart | alt.FacetChart
"""What `alt.layer` gives; the second only of charts in facets, of which there are none here."""

AROUND = 110
"""Height of what stands over and under maps, the titles and the scale, in pixels."""
INK = "#1c2530"
"""Words on a chart."""
