"""Shape of the transformer, by itself: settings are judged before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from gen.errors import SettingError


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Shape of the transformer.

    Args:
        layers: number of blocks.
        width: channels D; a multiple of `2 * heads`.
        heads: attention heads H.
        expansion: width of a block's inner layer, in multiples of `width`.
        dropout: in [0, 1); on embeddings and on each block's two outputs.
        context: most events it can attend to at once.
        field_sizes: ids in each predicted field, F of them.
        context_sizes: ids in each further input column, C - F of them.
        inner_layers: blocks that have an inner layer, from the first on; None for all.
        key_heads: heads of keys and values G, each heard by as many queries; None for `heads`.
        window: events that all blocks but the last attend to, the event itself and those just
            before it; None for all.
    """

    layers: int
    width: int
    heads: int
    expansion: int
    dropout: float
    context: int
    field_sizes: tuple[int, ...]
    context_sizes: tuple[int, ...]
    inner_layers: int | None = None
    key_heads: int | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "expansion", "context"):
            if getattr(self, name) < 1:
                raise SettingError(f"{getattr(self, name)} is below 1", where=f"model.{name}")
        if self.inner_layers is not None and not 0 <= self.inner_layers <= self.layers:
            raise SettingError(
                f"{self.inner_layers} is outside 0 to {self.layers} layers",
                where="model.inner_layers",
            )
        if self.key_heads is not None and (self.key_heads < 1 or self.heads % self.key_heads):
            raise SettingError(
                f"{self.key_heads} does not divide {self.heads} heads", where="model.key_heads",
                mend=f"a number that does, from 1 to {self.heads}; null: as many as heads",
            )  # fmt: skip
        if self.window is not None and self.window < 1:
            raise SettingError(f"{self.window} is below 1", where="model.window")
        if self.width % (2 * self.heads):
            raise SettingError(
                f"width {self.width} is no multiple of 2 x {self.heads} heads", where="model.width"
            )
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout {self.dropout} is outside [0, 1)", where="model.dropout")

    @property
    def head_width(self) -> int:
        """Channels of a head K."""
        return self.width // self.heads

    @property
    def groups(self) -> int:
        """Heads of keys and values G."""
        return self.key_heads or self.heads

    def window_of(self, layer: int) -> int | None:
        """Events that a block attends to; None for all."""
        return self.window if layer < self.layers - 1 else None
