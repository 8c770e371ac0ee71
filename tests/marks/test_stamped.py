"""Content credentials that an authority stamps with the time, as a stock validator reads them."""

from __future__ import annotations

import pytest

from authorities import OPENSSL, Authority, listening
from gen.errors import HouseError
from gen.marks.containers import CONTAINERS, container_of
from gen.marks.manifest import read_store
from gen.marks.release import Outlet, mark_beside
from houses import key_of, make_midi
from validators import by_c2pa, png_file, roots, wav_file

pytest.importorskip("rfc3161_client", reason="the extra `stamps` is not installed")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed here")
RECORD = {"house": "lantern", "checkpoint_sha256": "cd" * 32, "entered": False}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ts") / "authority")


def test_a_piece_and_all_that_is_made_from_it_are_stamped_as_validators_read_it(
    authority, files, tmp_path
):
    midi = tmp_path / "waltz.mid"
    made = {kind: tmp_path / f"waltz{kind}" for kind in CONTAINERS if kind != ".mid"}
    for kind, path in made.items():
        path.write_bytes(files[kind])
    with listening(authority) as url:
        outlet = Outlet.of("lantern", key_of("machine"), url)
        released = outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz")
        midi.write_bytes(released.midi)
        mark_beside(midi, *made.values(), authority=url)
    trusted = roots(outlet.signer) + authority.roots.read_text()
    stamps = {"timeStamp.validated", "timeStamp.trusted"}
    for kind, media_type in ((".wav", "audio/wav"), (".png", "image/png")):
        verdict = by_c2pa(made[kind].read_bytes(), media_type, trusted)
        assert (verdict.is_trusted, verdict.failures, verdict.codes & stamps) == (True, (), stamps)
    beside = by_c2pa(released.midi, "audio/midi", trusted, released.sidecar)
    assert (beside.failures, beside.codes & stamps) == ((), stamps)
    for path in (midi, *made.values()):
        data = path.read_bytes()
        active = read_store(container_of(data).find(data).store).active
        assert (active.problems, active.signature.stamp is not None) == ((), True)


def test_a_stamp_of_another_authority_is_not_trusted(authority, tmp_path):
    midi, sound = tmp_path / "waltz.mid", tmp_path / "waltz.wav"
    sound.write_bytes(wav_file())
    with listening(authority) as url:
        outlet = Outlet.of("lantern", key_of("machine"), url)
        midi.write_bytes(outlet.piece(make_midi(1), RECORD, "ab" * 32, "waltz").midi)
        mark_beside(midi, sound, authority=url)
    verdict = by_c2pa(sound.read_bytes(), "audio/wav", roots(outlet.signer))
    assert {"timeStamp.validated", "timeStamp.untrusted"} <= verdict.codes


def test_an_authority_that_does_not_answer_leaves_a_file_as_it_was(tmp_path):
    midi, picture = tmp_path / "waltz.mid", tmp_path / "waltz.png"
    picture.write_bytes(png_file())
    midi.write_bytes(Outlet.of("lantern", None).piece(make_midi(1), RECORD, "ab" * 32, "w").midi)
    with pytest.raises(HouseError, match="the authority cannot be reached"):
        mark_beside(midi, picture, authority="http://127.0.0.1:1")
    assert picture.read_bytes() == png_file()
