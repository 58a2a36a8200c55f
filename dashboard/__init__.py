"""The dashboard: reads bundles, draws pages. Needs torch only in `data.live`."""

DEFAULT_BUNDLE = "bundles/demo"
