"""Rules of style that Streamlit's theme has no option for. Knows no Streamlit."""

STYLE = """<style>
/* Less space above the title: pages of images need it. */
.stMainBlockContainer { padding: 2.5rem 3rem 3rem; }
/* Tables lose Streamlit's own CSV: a spreadsheet would run some of its texts. */
[aria-label^="Download as CSV"] { display: none; }
/* Tiles of a gallery have one height, whatever the shape of their pictures. */
[class*="st-key-gallery"] img { aspect-ratio: 1; object-fit: contain; background: rgba(128, 128, 128, 0.12); }
/* The name of the image in the name of its button: for screen readers alone. */
[class*="st-key-query"] p span {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
/* A tall upload leaves the results on the screen. */
[class*="st-key-picture"] img { max-height: 20rem; object-fit: contain; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem 1rem 3rem; }
  [class*="st-key-picture"] img { max-height: 9rem; }
  [class*="st-key-gallery"] [data-testid="stHorizontalBlock"] { gap: 0.5rem; }
  [class*="st-key-gallery"] [data-testid="stColumn"] {
    min-width: calc(33% - 0.5rem); flex: 0 1 calc(33% - 0.5rem);
  }
}
</style>"""

EMBEDDED = (
    "<style>[data-testid='stSidebar'], [data-testid='stExpandSidebarButton'] { display: none; }</style>"
)
"""A page inside another page has no sidebar: its link chooses bundle and model."""
