"""Write the lock files in `requirements/` from pyproject.toml (`make lock`). Needs uv.

    python scripts/lock.py                      keep locked versions where pyproject.toml allows
    python scripts/lock.py --upgrade            take the newest versions
    python scripts/lock.py --upgrade-package X  take the newest X

One resolution for every platform and every supported Python, cut into files that say who needs
what: `build` (setuptools), `base` (composers and curators), `train` (besides, without torch),
`torch`, `cuda` (what only torch's CUDA builds require), `dev`. The cuts add up to the resolution
exactly. `torch-cpu` names CPU builds of the same release, tried first where there is no GPU.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
STUDIO = ("--extra", "studio")
"""Composers and curators have it, too."""
FILES = ("build", "base", "train", "torch", "cuda", "dev")
CUDA_ONLY = re.compile(r"nvidia-|cuda-|triton$")

# A CPU build of torch is the same release without CUDA. The registry offers none for Linux; a
# site may offer one to its own machines, and this is the hash of the one that we know. It has a
# lock file of its own: where hashes are required, pip prefers a file whose hash an index page
# tells to a newer one in a folder, so beside the registry's it would never be chosen.
CPU_BUILDS_OF_TORCH = {
    "2.13.0": {
        "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl": (
            "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
        ),
    },
}

Blocks = dict[str, str]  # package name to its lines in a lock file


def main(arguments: list[str]) -> int:
    if not (uv := _find_uv()):
        print("lock: uv is not installed. Mend: .venv/bin/pip install uv", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "everything.lock"
        everything.write_text("".join(_old(name) for name in FILES), encoding="utf-8")
        _resolve(uv, everything, ["--extra", "train", *STUDIO, "--extra", "dev", *arguments])
        base = _resolve(uv, Path(folder) / "base.lock", [*STUDIO, "--constraints", str(everything)])
        train = _resolve(
            uv,
            Path(folder) / "train.lock",
            ["--extra", "train", *STUDIO, "--constraints", str(everything)],
        )
        _write_all(_cut(_blocks(everything), base, train))
    return 0


def _find_uv() -> str | None:
    beside = Path(sys.executable).parent
    return shutil.which("uv", path=str(beside)) or shutil.which("uv")


def _old(name: str) -> str:
    path = LOCKS / f"{name}.lock"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _resolve(uv: str, output: Path, options: list[str]) -> Blocks:
    """Resolve pyproject.toml into the file, which also says what versions are preferred."""
    command = [uv, "pip", "compile", "pyproject.toml", "--quiet", "--output-file", str(output)]
    command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"]
    subprocess.run([*command, *options], cwd=ROOT, check=True)
    return _blocks(output)


def _blocks(path: Path) -> Blocks:
    """Each package's lines: the requirement and its hashes."""
    text = path.read_text(encoding="utf-8")
    starts = [match.start() for match in re.finditer(r"^[a-z0-9]", text, re.MULTILINE)]
    ends = [*starts[1:], len(text)]
    blocks = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return {block.split("==")[0]: block for block in blocks}


def _cut(everything: Blocks, base: Blocks, train: Blocks) -> dict[str, Blocks]:
    cut: dict[str, Blocks] = {name: {} for name in FILES}
    for name, block in everything.items():
        cut[_owner(name, base, train)][name] = block
    cut["torch-cpu"] = _cpu_builds(everything["torch"])
    return cut


def _owner(name: str, base: Blocks, train: Blocks) -> str:
    if name == "setuptools":
        return "build"
    if name == "torch":
        return "torch"
    if CUDA_ONLY.match(name):
        return "cuda"
    return "base" if name in base else "train" if name in train else "dev"


def _cpu_builds(block: str) -> Blocks:
    """The CPU builds that are known of the release of torch that the block locks."""
    release = block.removeprefix("torch==").split()[0]
    known = sorted(CPU_BUILDS_OF_TORCH.get(release, {}).values())
    if not known:
        print("lock: no CPU build of this torch is known, see CPU_BUILDS_OF_TORCH", file=sys.stderr)
        return {}
    hashes = [f"    --hash=sha256:{value}" for value in known]
    return {"torch": " \\\n".join([f"torch=={release}+cpu", *hashes]) + "\n"}


def _write_all(cut: dict[str, Blocks]) -> None:
    LOCKS.mkdir(exist_ok=True)
    for name, blocks in cut.items():
        text = "# Written by `make lock` from pyproject.toml: do not edit.\n" + "".join(
            blocks[package] for package in sorted(blocks)
        )
        (LOCKS / f"{name}.lock").write_text(text, encoding="utf-8", newline="\n")
        print(f"lock: requirements/{name}.lock: {len(blocks)} packages")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
