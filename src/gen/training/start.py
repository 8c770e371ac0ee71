"""What a run begins with where that is not what its seed gives: the weights of another model.

The model is held against the logs of all houses behind it before anything is learned. Whatever it
has learned is never counted as held out: its own split is worked out again, and decides where those
works stand here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.data.admission import take_in
from gen.data.settings import DataConfig
from gen.data.splits import MOST_LEARNED, SplitConfig, shingles
from gen.errors import HouseError, found_in
from gen.likeness.relatives import related_groups
from gen.likeness.voices import Hashes
from gen.provenance.history.runs import Run
from gen.provenance.houses.house import House
from gen.provenance.manifests.manifest import Base, Manifest, ManifestWork
from gen.provenance.manifests.recorded import check_base
from gen.provenance.records.pin import Pin, by_name, load_pin
from gen.provenance.records.plugin_record import Plugin
from gen.provenance.records.run_acts import START
from gen.settings import build
from gen.tokens.choice import GRID, TokenizerChoice
from gen.tokens.tokenization import Tokenization
from gen.tokens.tokenizer import HouseTokenizer
from gen.training.settings.run_settings import RunConfig

_OF_THE_RUN: Final = ("dropout",)
"""Of a model's settings those that its weights do not depend on."""
_OF_THE_TOKENS: Final = ("field_sizes", "context_sizes")


@dataclass(frozen=True, slots=True)
class Start:
    """The model that a run begins with.

    Attributes:
        path: of its file.
        checkpoint: the model.
        run: that left it; None where no log vouches for it.
        works: that it was made of, with the side of its split that each was on.
        melodies: `shingles` of each, where its house was read.
    """

    path: Path
    checkpoint: Checkpoint
    run: Run | None
    works: tuple[tuple[ManifestWork, str], ...]
    melodies: tuple[Hashes, ...] = ()

    @property
    def weights(self) -> dict[str, Tensor]:
        return self.checkpoint.model.state_dict()

    def check_plugins(self, plugins: Sequence[Plugin]) -> None:
        """Refuse to go on from its weights with another network.

        Raises:
            HouseError: its network is a plug-in's that the run does not name, or the other way
                round.
        """
        own, named = (
            [each for each in some if each.kind == "model"]
            for some in (self.checkpoint.manifest.plugins, plugins)
        )
        if own != named:
            network = str(own[0]) if own else "this project's own network"
            raise HouseError(
                f"its weights are those of {network}", where=str(self.path),
                mend=f"plugins.model={own[0].name if own else 'null'}",
            )  # fmt: skip

    @property
    def words(self) -> str:
        """What is said of it before the run begins."""
        manifest = self.checkpoint.manifest
        whose = str(self.run) if self.run else "no recorded run, so that nobody knows"
        return (
            f"begins with the weights of {self.path}: {whose}, {len(manifest.works)} works of "
            f"{manifest.house} for {manifest.purpose}"
        )

    def settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of the run, as its recipe has them: digests for places, the model's shape.

        A window as long as the context of the model that was chosen is one of this model's.
        """
        config, chosen = asdict(self.checkpoint.model.config), dict(settings["model"])
        shape = {name: value for name, value in config.items() if name not in _OF_THE_TOKENS}
        own = {name: chosen[name] for name in _OF_THE_RUN if name in chosen}
        data = dict(settings["data"])
        if data.get("training_window") == chosen.get("context"):
            data["training_window"] = config["context"]
        start = START + self.checkpoint.file.tensors_sha256
        return {**settings, "model": {**shape, **own}, "data": data, "init": start}

    def base_of(self, works: Sequence[ManifestWork], melodies: Sequence[Hashes]) -> Base:
        """What it is to the works of a run: which of them, or relatives of which, it has learned.

        Args:
            works: of the run.
            melodies: `shingles` of each.
        """
        file = self.checkpoint.file
        sides = {w.work: side for w in works if (side := self._side(w))}
        groups = related_groups([*self.melodies, *melodies]) if self.melodies else {}
        known = len(self.melodies)
        for members in groups.values():
            found = {self.works[i][1] for i in members if i < known}
            for work in (works[i - known] for i in members if i >= known and found):
                sides[work.work] = _most_learned({*found, *_in_set(sides.get(work.work))})
        return Base(
            file.file_sha256, file.tensors_sha256, self.run is not None, file.manifest,
            dict(sorted(sides.items())),
        )  # fmt: skip

    def _side(self, work: ManifestWork) -> str | None:
        """Where a work that sounds so stood; of models further back all was learned."""
        found = {side for each, side in self.works if each.musical_hash == work.musical_hash}
        for base in self.checkpoint.manifest.bases:
            if any(each.musical_hash == work.musical_hash for each in base.manifest.works):
                found |= {"train"} if not found else set()
        return _most_learned(found) if found else None


def _in_set(side: str | None) -> set[str]:
    return {side} if side else set()


def _most_learned(sides: set[str]) -> str:
    return next(side for side in MOST_LEARNED if side in sides)


def open_start(run: RunConfig) -> Start | None:
    """The model that a run begins with, held against the logs of the houses behind it.

    Raises:
        HouseError: it cannot be read, a log does not vouch for it, or works behind it do not allow
            the run's purpose.
    """
    if run.init is None:
        return None
    path = Path(run.init)
    checkpoint = load_checkpoint(path)
    if run.base.unrecorded:
        learned = tuple((work, "train") for work in checkpoint.manifest.works)
        return Start(path, checkpoint, None, learned)
    pins = by_name(map(load_pin, map(Path, (run.pin, *run.base.pins))))
    with found_in(path):
        registers = {name: House(pin).load() for name, pin in pins.items()}
        behind = check_base(checkpoint.file, run.purpose, registers)
    works, melodies = _split_of(checkpoint, pins[checkpoint.manifest.house])
    return Start(path, checkpoint, behind, works, melodies)


def _split_of(
    checkpoint: Checkpoint, pin: Pin
) -> tuple[tuple[tuple[ManifestWork, str], ...], tuple[Hashes, ...]]:
    """The works behind a model, each with its side of the model's own split, and their melodies."""
    manifest = checkpoint.manifest
    settings = checkpoint.run.get("settings")
    data = settings.get("data") if isinstance(settings, dict) else None
    shares = data.get("split") if isinstance(data, dict) else None
    if shares is None:  # what it was kept from it does not say
        return tuple((work, "train") for work in manifest.works), ()
    found = take_in(
        pin.dir, pin, manifest.purpose, build(SplitConfig, shares, where="data.split"),
        HouseTokenizer(), again=manifest, base=_the_same(manifest),
    )  # fmt: skip
    sides = {i: side for side, chosen in found.sides.items() for i in chosen}
    by_name = {work.work: work for work in manifest.works}
    works = tuple((by_name[name], sides[i]) for i, name in enumerate(found.ids))
    return works, tuple(map(shingles, found.works.all_events()))


def _the_same(manifest: Manifest) -> Any:
    base = manifest.base
    return (lambda *_: base) if base else None


def with_tokens_of(data: DataConfig, start: Start | None) -> DataConfig:
    """The settings of the data, once their tokenizer is found to be the model's.

    Raises:
        HouseError: another is asked for than the model reads.
    """
    if start is None or _words(start.checkpoint.tokenization) == _words(data.tokenizer):
        return data
    read, asked = _words(start.checkpoint.tokenization), _words(data.tokenizer)
    raise HouseError(f"reads {read}, asked for is {asked}", where=str(start.path), mend=read)


def _words(tokens: Tokenization | TokenizerChoice) -> str:
    """The settings that name a tokenization."""
    timing = getattr(tokens, "timing", GRID)
    return f"tokenizer={tokens.name}" + (f" tokenizer.timing={timing}" if timing != GRID else "")


def weights_of(path: Path, digest: str) -> dict[str, Tensor]:
    """The weights that a run began with, from the file of their model.

    Args:
        path: of the file.
        digest: of its tensors, as the run's begin act has it.

    Raises:
        HouseError: it is another model.
    """
    checkpoint = load_checkpoint(path)
    found = checkpoint.file.tensors_sha256
    if found != digest:
        raise HouseError(
            f"is not what the run began with: its tensors are {found[:12]}…, the begin act says "
            f"{digest[:12]}…",
            where=str(path), mend="name the model that it began with: --init FILE",
        )  # fmt: skip
    return checkpoint.model.state_dict()
