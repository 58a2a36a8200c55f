"""The dashboard: reads bundles, draws pages. Neither torch nor weights, except through `dashboard.live`."""

DEFAULT_BUNDLE = "bundles/demo"
