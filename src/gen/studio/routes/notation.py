"""The interface to a piece on paper and part by part: pages of its score, its stems."""

from __future__ import annotations

import io
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gen.disk.reading import MIDI, SCORE, read
from gen.errors import HouseError, SettingError
from gen.marks.release import like, mark_beside, stamp_by
from gen.rendering.playing import Playing, midi_stems
from gen.rendering.score import SUFFIX, musicxml
from gen.smf import parse
from gen.studio.interface import DeskOf, download, piece_path

router = APIRouter(tags=["music"])
_MOST_SCORES = 8
_LAYOUT = {
    "pageWidth": 2100, "pageHeight": 2970, "scale": 40, "svgViewBox": True, "footer": "none",
    "header": "none", "breaks": "auto", "adjustPageHeight": True, "pageMarginLeft": 150,
}  # fmt: skip
"""The margin is what a long name beside a brace takes more than the engraver thinks."""


class Pages(BaseModel):
    """How many pages a score has."""

    pages: int


@router.get("/pieces/{name}/musicxml")
def piece_musicxml(name: str, desk: DeskOf) -> Response:
    """A piece's score, for notation programs."""
    path = piece_path(desk.out, name)
    data = _score_of(path)
    if not path.with_suffix(SUFFIX).is_file():
        data = like(read(path, MIDI), data, name, stamp_by(desk.stamp))
    return download(data, "application/vnd.recordare.musicxml+xml", f"{name}{SUFFIX}")


@router.get("/pieces/{name}/pages")
def score_pages(name: str, desk: DeskOf) -> Pages:
    """How many pages a piece's score has, engraved from its MusicXML."""
    return Pages(pages=len(_engraved(_score_of(piece_path(desk.out, name)))))


@router.get("/pieces/{name}/pages/{page}")
def score_page(name: str, page: int, desk: DeskOf) -> Response:
    """A page of a piece's score as SVG, counted from 1."""
    pages = _engraved(_score_of(piece_path(desk.out, name)))
    if not 1 <= page <= len(pages):
        raise SettingError(f"page {page} of {len(pages)}", where="page")
    return Response(pages[page - 1], media_type="image/svg+xml")


@router.get("/pieces/{name}/stems")
def stems(name: str, desk: DeskOf) -> Response:
    """Each instrument by itself, as MIDI and WAV, in a ZIP archive."""
    path = piece_path(desk.out, name)
    archive = io.BytesIO()
    with (
        TemporaryDirectory(prefix="studio-") as folder,
        ZipFile(archive, "w", ZIP_DEFLATED) as file,
    ):
        midi = Path(shutil.copy(path, folder))
        for part in [*midi_stems(midi), *Playing().each(parse(read(path, MIDI)), midi)]:
            mark_beside(midi, part, authority=desk.stamp)
            file.write(part, f"{name}/{part.name}")
    return download(archive.getvalue(), "application/zip", f"{name}-stems.zip")


def _score_of(midi: Path) -> bytes:
    """A piece's score as MusicXML: the one that lies beside it, else made of its file."""
    kept = midi.with_suffix(SUFFIX)
    return read(kept, SCORE) if kept.is_file() else _musicxml(read(midi, MIDI), midi.stem)


@lru_cache(_MOST_SCORES)
def _musicxml(midi: bytes, title: str) -> bytes:
    with TemporaryDirectory(prefix="studio-") as folder:
        return musicxml(parse(midi), Path(folder) / "score.musicxml", title=title).read_bytes()


@lru_cache(_MOST_SCORES)
def _engraved(score: bytes) -> list[str]:
    """Every page as SVG.

    Raises:
        HouseError: the engraver is not installed, or cannot read the score.
    """
    try:
        import verovio
    except ImportError:
        what = "verovio, which engraves scores, is not installed"
        raise HouseError(what, mend="make setup, or pip install -e .[studio]") from None
    verovio.enableLog(verovio.LOG_ERROR)  # and nothing about lines that are full
    engraver = verovio.toolkit(False)
    engraver.setResourcePath(str(Path(verovio.__file__).with_name("data")))
    engraver.setOptions(_LAYOUT)
    if not engraver.loadData(score.decode()):
        raise HouseError("the score of this piece cannot be engraved", mend="take it as MusicXML")
    return [engraver.renderToSVG(page + 1) for page in range(engraver.getPageCount())]
