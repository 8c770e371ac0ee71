"""Part writers combined: who plays when, and together."""

from __future__ import annotations

import zlib
from dataclasses import replace

from starter.arrangement import PartWriter, Scene
from starter.tones import Tone


def rest(scene: Scene) -> list[Tone]:
    """Nothing."""
    return []


def by_kind(default: PartWriter, **kinds: PartWriter) -> PartWriter:
    """A writer per section kind: ``by_kind(lead(), solo=counter(), intro=rest)``."""

    def part(scene: Scene) -> list[Tone]:
        return kinds.get(scene.kind, default)(scene)

    return part


def by_letter(default: PartWriter, **letters: PartWriter) -> PartWriter:
    """A writer per part letter of the theme: ``by_letter(lead(), B=counter())``."""

    def part(scene: Scene) -> list[Tone]:
        return letters.get(scene.section.letter, default)(scene)

    return part


def by_turn(*writers: PartWriter) -> PartWriter:
    """First writer in the first statement of the theme, second in the next …; the last stays."""

    def part(scene: Scene) -> list[Tone]:
        return writers[min(scene.section.turn, len(writers) - 1)](scene)

    return part


def by_return(*writers: PartWriter) -> PartWriter:
    """First writer when a letter is first stated, second at its return …; the last stays."""

    def part(scene: Scene) -> list[Tone]:
        return writers[min(scene.section.statement, len(writers) - 1)](scene)

    return part


def choose(*writers: PartWriter) -> PartWriter:
    """One of the writers for a whole work, drawn by its theme: kindred works differ."""

    def part(scene: Scene) -> list[Tone]:
        name = f"{scene.plan.sheet.slug}/{scene.seat.name}"
        return writers[zlib.crc32(name.encode()) % len(writers)](scene)

    return part


def by_energy(calm: PartWriter, strong: PartWriter, at: float = 0.65) -> PartWriter:
    """`strong` from energy `at` up, `calm` below."""

    def part(scene: Scene) -> list[Tone]:
        return (strong if scene.energy >= at else calm)(scene)

    return part


def together(*writers: PartWriter) -> PartWriter:
    """Several writers on one seat (a pianist's two hands, a chord and a bass note)."""

    def part(scene: Scene) -> list[Tone]:
        made: list[Tone] = []
        for place, writer in enumerate(writers):
            memory = scene.memory.setdefault(f"hand{place}", {})
            made += writer(_with_memory(scene, memory))
        return made

    return part


def _with_memory(scene: Scene, memory: dict[str, object]) -> Scene:
    return replace(scene, memory=memory)


def within(low: int, high: int, writer: PartWriter) -> PartWriter:
    """The writer kept within a narrower span than its seat's (a hand, a register)."""

    def part(scene: Scene) -> list[Tone]:
        return writer(replace(scene, seat=replace(scene.seat, span=(low, high))))

    return part
