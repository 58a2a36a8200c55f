"""The other side of a comparison, as a link has it. Knows nothing of Streamlit, bundles or pages."""

from dataclasses import dataclass

KINDS = ("model", "head", "heads", "image", "text")


@dataclass(frozen=True)
class Versus:
    """The other side of a view: itself with another model, head, heads, image or text; or nothing."""

    kind: str = ""
    """One of KINDS; empty for nothing."""

    value: str = ""
    """The other model, head, heads, image or text, as in a link."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}" if self.kind else ""

    @classmethod
    def parsed(cls, value: str) -> "Versus":
        """Returns the other side that a link names; nothing if it is of no kind."""
        kind, colon, rest = value.partition(":")
        return cls(kind, rest) if colon and kind in KINDS else cls()
