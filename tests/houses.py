"""Small works by code, and a house that is quick to start.

`start_house` makes one with two composers (ana, ben) and two curators (cleo, dana), their keys
at hand; `enter(1, 2)` contributes and accepts the works of seeds 1 and 2.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from gen.piece import Note, Piece, Tempo, TimeSignature, Track
from gen.provenance.admission.corpus import Corpus
from gen.provenance.admission.gate import admit
from gen.provenance.admission.inbox import Contribution, submit
from gen.provenance.desk.recording import OutputLog, begin_run, end_run
from gen.provenance.desk.works import accept
from gen.provenance.history.register import Register
from gen.provenance.houses.founding import create_house
from gen.provenance.houses.house import House
from gen.provenance.manifests.model_file import read_model_file
from gen.provenance.records.acts import Entry
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from gen.provenance.records.roster import Person, PersonKey, identity_of
from gen.provenance.records.run_acts import Begin, End, ModelDigest, Output
from gen.provenance.records.statement import Description, Statement, make_work_id
from gen.provenance.records.tag import sign_contribution
from gen.provenance.signing.key_files import keys_folder, save_key, save_open_key, write_private
from gen.provenance.signing.keys import PrivateKey
from gen.smf import musical_hash, parse, write

PASSPHRASE = "correct horse battery"  # noqa: S105 - unlocks nothing outside the tests
EVERYTHING = "general_model evaluation"


def key_of(name: str) -> PrivateKey:
    """The same key for the same name, in every test."""
    from gen.provenance.signing.canonical import sha256_hex

    return PrivateKey.from_seed(bytes.fromhex(sha256_hex(f"test key of {name}".encode())))


LANTERN = identity_of("lantern", [key_of("root").keyid])
"""Identity of the house that `start_house` makes, which statements for it name."""


def make_piece(seed: int = 0, bars: int = 4, **changes: object) -> Piece:
    """A small piece with a melody, a bass and drums; another seed is another melody."""
    steps = [0, 2, 4, 5, 7, 9, 11, 12]
    # Melodies of different seeds share no long run of intervals.
    digest = b"".join(sha256(f"{seed}/{bar}".encode()).digest()[:4] for bar in range(bars))
    walk = [steps[byte % 8] for byte in digest]
    melody = [Note(i * 480, 440, 60 + step, 80 + i % 20) for i, step in enumerate(walk)]
    bass = [Note(bar * 1920, 1900, 36 + walk[bar * 4] % 12, 70) for bar in range(bars)]
    drums = [Note(i * 480, 100, 36 if i % 2 == 0 else 38, 90) for i in range(bars * 4)]
    piece = Piece(
        480,
        [
            Track("melody", 73, False, "main_melody", melody),
            Track("bass", 32, False, "bass", bass),
            Track("drums", 0, True, "drums", drums),
        ],
        tempos=[Tempo(0, 500_000)],
        time_signatures=[TimeSignature(0, 4, 4)],
    )
    return replace(piece, **changes)


def make_midi(seed: int = 0, bars: int = 4) -> bytes:
    """Strict bytes of `make_piece`."""
    return write(make_piece(seed, bars))


def make_statement(midi: bytes, composer: str = "ana", **changes: object) -> Statement:
    """A statement about `midi` with everything allowed."""
    from gen.provenance.signing.canonical import sha256_hex

    title = str(changes.pop("title", "Small Rain"))
    consent = Consent.parse(str(changes.pop("consent", EVERYTHING)))
    values: dict[str, object] = {
        "work": make_work_id(title, sha256_hex(midi)),
        "composers": ((composer, 100),),
        "method": "score",
        "consent": consent,
        "musical_hash": musical_hash(parse(midi)),
        "description": Description(title=title, genre="waltz", mood="calm"),
        "contract": "C-1",
        "house": LANTERN,
        **changes,
    }
    return Statement(**values)  # type: ignore[arg-type]


def tagged(midi: bytes, composer: str = "ana", **changes: object) -> bytes:
    """`midi` with its composer's signature."""
    return sign_contribution(midi, make_statement(midi, composer, **changes), key_of(composer))


@dataclass
class TestHouse:
    """A started house and the hands of its people."""

    __test__ = False

    house: House
    entries: list[Entry] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.house.folder

    @property
    def pin(self):
        return self.house.pin

    @property
    def root(self) -> PrivateKey:
        return key_of("root")

    def load(self) -> Register:
        return self.house.load()

    def submit(self, *files: bytes):
        return submit(self.house, [Contribution(data) for data in files])

    def accept(self, works: Sequence[str] | None = None, curator: str = "cleo"):
        result = accept(self.house, works, key_of(curator))
        self.house = result.house
        self.entries += result.entered
        return result

    def enter(self, *seeds: int, composer: str = "ana", **changes: object) -> list[Entry]:
        """Contribute and accept one work a seed."""
        changes.setdefault("house", self.load().roster.identity)
        results = self.submit(*(tagged(make_midi(s), composer, **changes) for s in seeds))
        assert not [r for r in results if r.rule], results
        entered = self.accept([r.work for r in results])
        assert not entered.refused, entered.refused
        return sorted(entered.entered, key=lambda e: [r.work for r in results].index(e.work))

    def record(self, *files: Path, by: str = "machine") -> int:
        """Enter the run that would have left these models; its index in the log."""
        found = [read_model_file(path) for path in files]
        manifest = found[0].manifest
        models = [
            ModelDigest(path.name, 1, file.file_sha256, file.tensors_sha256)
            for path, file in zip(files, found, strict=True)
        ]
        works = [work.work for work in manifest.works]
        about = {"purpose": manifest.purpose, "manifest": manifest.digest}
        return self.log_run(works, models, by=by, **about)

    def log_run(
        self,
        works: Sequence[str],
        models: Sequence[ModelDigest],
        *,
        name: str = "test",
        purpose: str = "general_model",
        manifest: str = "aa" * 32,
        by: str = "machine",
    ) -> int:
        """Enter a run of these works that left these models; its index in the log."""
        zeros = "00" * 32
        found = tuple(sorted(works))
        begin = Begin(name, purpose, manifest, found, zeros, 1, zeros, zeros, "a test", None)
        index = begin_run(self.house, key_of(by), begin)
        end_run(self.house, key_of(by), End(index, 1, tuple(models)))
        self._follow_pin()
        return index

    def log_output(self, musical_hash: str, *, run: int | None = None, **more: object) -> int:
        """Enter a piece with this sound, of a run or of one that is made up; its index."""
        digest = "c0" * 32
        if run is None:
            works = [entry.work for entry in self.entries] or [self.enter(990)[0].work]
            run = self.log_run(works, [ModelDigest("best.safetensors", 1, digest, "c1" * 32)])
        values = {"checkpoint": digest, "sha256": "5a" * 32, "receipt": "ab" * 32, **more}
        output = Output(run=run, musical_hash=musical_hash, **values)  # type: ignore[arg-type]
        index = OutputLog(self.house, self.load(), key_of("machine")).enter(output)
        self._follow_pin()
        return index

    def _follow_pin(self) -> None:
        self.house = House(load_pin(self.pin.path)) if self.pin.path else self.house

    def path(self, entry: Entry) -> Path:
        return self.folder / entry.path

    def admit(self, purpose: str = "general_model", **settings: object) -> Corpus:
        return admit(self.folder, purpose, pin=self.house.pin, **settings)  # type: ignore[arg-type]

    def rules(self, purpose: str = "general_model") -> dict[str, str]:
        """Place → rule of every refused file."""
        return {refusal.path: refusal.rule for refusal in self.admit(purpose).refused}


def keep_machine_key(house: str = "lantern", folder: Path | None = None) -> Path:
    """Put the machine's key into the key folder: its runs and pieces are entered from then on."""
    return save_open_key(key_of("machine"), house=house, owner="machine", folder=folder)


def keep_key(name: str, house: str = "lantern") -> Path:
    """Put somebody's key into the key folder, sealed with `PASSPHRASE`."""
    file_name, data = _sealed(name, house)
    folder = keys_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / file_name, data)
    return folder / file_name


@functools.cache
def _sealed(name: str, house: str) -> tuple[str, bytes]:
    """Name and bytes of a key file, whose sealing takes as long as many a test."""
    with TemporaryDirectory() as folder:
        path = save_key(
            key_of(name), house=house, owner=name, passphrase=PASSPHRASE, folder=Path(folder),
            kdf_cost=10,
        )  # fmt: skip
        return path.name, path.read_bytes()


def start_house(
    folder: Path,
    name: str = "lantern",
    root: str = "root",
    more: Sequence[Person] = (),
    **settings: object,
) -> TestHouse:
    """A house with ana, ben (composers), cleo, dana (curators), a machine, `more`; one root key."""
    roles = {
        "ana": ("composer",),
        "ben": ("composer",),
        "cleo": ("curator",),
        "dana": ("curator",),
        "machine": ("producer", "trainer"),
    }
    people = [
        Person(who, who.title(), found, (PersonKey(key_of(who).public, 0),))
        for who, found in roles.items()
    ]
    people += more
    values: dict[str, object] = {"pin_path": folder.parent / f"{name}.yaml", "people": people}
    house = create_house(folder, name, [key_of(root)], **{**values, **settings})  # type: ignore[arg-type]
    return TestHouse(house)
