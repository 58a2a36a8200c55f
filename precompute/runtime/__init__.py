"""Options, work files, progress, devices: what commands and stages run on. Knows no mathematics."""
