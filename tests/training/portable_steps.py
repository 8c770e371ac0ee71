"""Six steps of a small network, printed as digests: python portable_steps.py portable|fast.

Run here and under an emulated processor by `test_portable.py`; random inputs, no works.
"""

import hashlib
import sys
from contextlib import nullcontext

import numpy as np
import torch

from gen.model import ModelConfig, Transformer
from gen.tokens import vocabulary as v
from gen.tokens.columns import CONTEXT_SIZES
from gen.training.evidence.portable import portable_arithmetic
from gen.training.optimising.muon import MuonAdamW

SIZES = [*v.FIELD_SIZES, *CONTEXT_SIZES]


def network() -> Transformer:
    torch.manual_seed(1)
    return Transformer(
        ModelConfig(n_layer=2, width=64, n_head=2, mlp_ratio=4, dropout=0.1, context=64,
                    field_sizes=v.FIELD_SIZES, context_sizes=CONTEXT_SIZES)
    ).train()  # fmt: skip


def optimiser(model: Transformer) -> MuonAdamW:
    matrices = [p for p in model.parameters() if p.ndim == 2 and 64 <= min(p.shape) <= 256]
    inner = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inner]
    groups = [
        {"params": matrices, "lr": 0.02, "weight_decay": 0.01, "orthogonal": True},
        {"params": others, "lr": 0.004, "weight_decay": 0.0, "orthogonal": False},
    ]
    return MuonAdamW(groups)


def step(model: Transformer, learns: MuonAdamW, random: np.random.Generator) -> float:
    columns = np.stack([random.integers(0, size, (2, 64)) for size in SIZES], -1)
    targets = np.stack([random.integers(1, size, (2, 64)) for size in v.FIELD_SIZES], -1)
    loss = model.losses(torch.from_numpy(columns), torch.from_numpy(targets)).sum()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    learns.step()
    learns.zero_grad()
    return float(loss.detach())


def digest(model: Transformer) -> str:
    found = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        found.update(name.encode() + tensor.numpy().tobytes())
    return found.hexdigest()


def main(arithmetic: str) -> None:
    with portable_arithmetic() if arithmetic == "portable" else nullcontext():
        model, random = network(), np.random.default_rng(0)
        learns = optimiser(model)
        for _ in range(6):
            print(step(model, learns, random).hex(), digest(model), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
