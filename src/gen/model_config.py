"""Shape of the transformer, by itself: settings are judged before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gen.errors import SettingError


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Shape of the transformer.

    Args:
        n_layer: number of blocks.
        width: channels D; a multiple of `2 * n_head`.
        n_head: attention heads H.
        mlp_ratio: width of a block's MLP, in multiples of `width`.
        dropout: in [0, 1); on embeddings and on each block's two outputs.
        context: most events it can attend to at once.
        field_sizes: ids in each predicted field, F of them.
        context_sizes: ids in each further input column, C - F of them.
        mlp_layers: blocks that have an MLP, from the first on; None for all.
        kv_heads: heads of keys and values G, each shared by as many queries; None for `n_head`.
        attention_window: events that all blocks but the last attend to, the event itself and
            those just before it; None for all.
    """

    RENAMED: ClassVar[dict[str, str]] = {
        "layers": "n_layer", "heads": "n_head", "expansion": "mlp_ratio",
        "inner_layers": "mlp_layers", "key_heads": "kv_heads", "window": "attention_window",
    }  # fmt: skip
    """Earlier names, which older checkpoints have."""

    n_layer: int
    width: int
    n_head: int
    mlp_ratio: int
    dropout: float
    context: int
    field_sizes: tuple[int, ...]
    context_sizes: tuple[int, ...]
    mlp_layers: int | None = None
    kv_heads: int | None = None
    attention_window: int | None = None

    def __post_init__(self) -> None:
        for name in ("n_layer", "width", "n_head", "mlp_ratio", "context"):
            if getattr(self, name) < 1:
                raise SettingError(f"{getattr(self, name)} is below 1", where=f"model.{name}")
        if self.mlp_layers is not None and not 0 <= self.mlp_layers <= self.n_layer:
            raise SettingError(
                f"{self.mlp_layers} is outside 0 to {self.n_layer} layers", where="model.mlp_layers"
            )
        if self.kv_heads is not None and (self.kv_heads < 1 or self.n_head % self.kv_heads):
            raise SettingError(
                f"{self.kv_heads} does not divide {self.n_head} heads", where="model.kv_heads",
                mend=f"a number that does, from 1 to {self.n_head}; null: as many as heads",
            )  # fmt: skip
        if self.attention_window is not None and self.attention_window < 1:
            raise SettingError(
                f"{self.attention_window} is below 1", where="model.attention_window"
            )
        if self.width % (2 * self.n_head):
            raise SettingError(
                f"width {self.width} is no multiple of 2 x {self.n_head} heads", where="model.width"
            )
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout {self.dropout} is outside [0, 1)", where="model.dropout")

    @property
    def head_width(self) -> int:
        """Channels of a head K."""
        return self.width // self.n_head

    @property
    def n_kv_head(self) -> int:
        """Heads of keys and values G."""
        return self.kv_heads or self.n_head

    @property
    def parameters(self) -> int:
        """How many weights a network of this shape has."""
        mlps = self.n_layer if self.mlp_layers is None else self.mlp_layers
        square, ids = self.width**2, sum(self.field_sizes)
        attention = self.width * (self.width + 2 * self.n_kv_head * self.head_width) + square
        inside = self.n_layer * attention + mlps * 2 * self.mlp_ratio * square
        head = len(self.field_sizes) * square + ids * (self.width + 1)
        return (ids + sum(self.context_sizes)) * self.width + inside + head

    def window_of(self, layer: int) -> int | None:
        """Events that a block attends to; None for all."""
        return self.attention_window if layer < self.n_layer - 1 else None
