"""Arithmetic with the same last bit on every x86-64 processor that has AVX2.

Libraries choose kernels by the processor, and each kernel sums in its own order: the same
training on another machine gives other weights. Here every choice is taken away:

- torch's own kernels are those for AVX2 (`ATEN_CPU_CAPABILITY`), on one thread;
- matrix products, which torch leaves to MKL, are done by numpy's OpenBLAS with the kernels of one
  core type (`OPENBLAS_CORETYPE`); they are as fast;
- square roots, which MKL rounds differently on AMD and Intel, are numpy's, which are exact;
- attention is written out in those operations.

Shown by `tests/training/test_portable.py`: steps on this machine against the same steps under an
emulated Intel and an emulated AMD processor.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from gen.arithmetic import ENVIRONMENT, missing_variables
from gen.errors import SettingError

VERSION = "portable 1"
"""Changes with anything that changes bits."""


def check_portable() -> None:
    """Whether this process can compute portably.

    Raises:
        SettingError: it was begun without the variables of `ENVIRONMENT`, or the processor or the
            libraries installed here have not the kernels they name.
    """
    if missing := missing_variables():
        raise _cannot(
            f"{', '.join(missing)} must be set before torch is loaded",
            " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items()),
        )
    if torch.backends.cpu.get_cpu_capability() != "AVX2":
        raise _cannot("this processor has no AVX2", "trainer.arithmetic=fast")
    kernels = {p.get("architecture") for p in threadpool_info() if p["internal_api"] == "openblas"}
    if "Haswell" not in kernels:
        raise _cannot("numpy has no OpenBLAS with its kernels for Haswell", "install numpy by pip")


def _cannot(what: str, mend: str) -> SettingError:
    return SettingError(what, where="trainer.arithmetic", mend=mend)


@contextmanager
def portable_arithmetic() -> Iterator[None]:
    """Within it torch computes on the CPU as the module says, float32 and float64."""
    check_portable()
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(?s).*operators may also be overridden")
            for name, kernel in _KERNELS.items():
                library.impl(  # type: ignore[no-untyped-call]
                    name, kernel, "CPU", allow_override=True
                )
        with threadpool_limits(1), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        library._destroy()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array


def _matmul(left: Tensor, right: Tensor) -> Tensor:
    """(…, N, K) @ (…, K, M) -> (…, N, M)."""
    return torch.from_numpy(np.matmul(_array(left), _array(right)))


def _add_matmul(
    added: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """Beta * added + alpha * left @ right."""
    product = _matmul(left, right)
    if alpha != 1:
        product.mul_(alpha)
    return product.add_(added, alpha=beta) if beta != 0 else product


def _sqrt(tensor: Tensor) -> Tensor:
    return torch.from_numpy(np.sqrt(_array(tensor)))


def _sqrt_each(tensors: Sequence[Tensor]) -> None:
    for tensor in tensors:
        np.sqrt(tensor.numpy(), out=tensor.numpy())


_KERNELS = {
    "mm": _matmul,
    "bmm": _matmul,
    "addmm": _add_matmul,
    "baddbmm": _add_matmul,
    "sqrt": _sqrt,
    "_foreach_sqrt_": _sqrt_each,
}
