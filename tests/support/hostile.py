"""Values that a link may hold: nonsense, numbers that are none, code, and letters of any script."""

HOSTILE = (
    "zebra",
    "",
    " 3 ",
    "1_0",
    "-7",
    "2.5.1",
    "nan",
    "1e999",
    "9" * 400,
    "\u0663",
    "a\x00b\x07",
    "\u0436 \u202e \u0645\u0631 \U0001f469\u200d\U0001f680 e\u0301",
    "'; drop table head; --<script>alert(1)</script>",
    "{{x}} %s ${y}",
    "../../etc/passwd",
    "property:zebra",
    "layer:99",
    "L99.H99," * 100,
    "x " * 5000,
)
