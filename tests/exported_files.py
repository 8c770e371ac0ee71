"""Small files by code, each with one thing in it that programs really write.

`EXPORTS` has a name, what the file shows, and its bytes. What is said of each stands in
docs/exports.md.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from itertools import pairwise

from gen.smf.writer import variable_length
from midi_files import END, chunk, header, smf

BAR, QUARTER = 1920, 480
TUNE = (60, 62, 64, 65, 67, 69, 71, 72)
Timed = tuple[int, bytes]
"""A tick and the event at it."""


def at(tick: int, kind: int, payload: bytes) -> Timed:
    return tick, bytes((0xFF, kind)) + variable_length(len(payload)) + payload


def named(text: str | bytes) -> Timed:
    return at(0, 3, text.encode() if isinstance(text, str) else text)


def tempo(tick: int, quarters_a_minute: float) -> Timed:
    return at(tick, 0x51, round(60e6 / quarters_a_minute).to_bytes(3, "big"))


def meter(tick: int, beats: int, power: int = 2) -> Timed:
    return at(tick, 0x58, bytes((beats, power, 24, 8)))


def key(sharps: int, is_minor: bool) -> Timed:
    return at(0, 0x59, bytes((sharps & 255, is_minor)))


def program(channel: int, number: int, tick: int = 0) -> Timed:
    return tick, bytes((0xC0 | channel, number))


def control(channel: int, number: int, value: int, tick: int = 0) -> Timed:
    return tick, bytes((0xB0 | channel, number, value))


def on(tick: int, pitch: int, channel: int = 0, velocity: int = 80) -> Timed:
    return tick, bytes((0x90 | channel, pitch, velocity))


def off(tick: int, pitch: int, channel: int = 0) -> Timed:
    return tick, bytes((0x80 | channel, pitch, 64))


def notes(pitches: Iterable[int], channel: int = 0, start: int = 0, step: int = QUARTER):
    """One after the other, a little apart."""
    for place, pitch in enumerate(pitches):
        begin = start + place * step
        yield on(begin, pitch, channel)
        yield off(begin + step - step // 24, pitch, channel)


def tune(channel: int = 0, bars: int = 8, start: int = 0, higher: int = 0, step: int = QUARTER):
    pitches = [
        TUNE[(3 * (i // 4) + 2 * i + i % 4 * (i // 4)) % 8] + higher for i in range(4 * bars)
    ]
    return notes(pitches, channel, start, step)


def beat(channel: int, bars: int = 8) -> Iterator[Timed]:
    for place in range(8 * bars):
        for pitch in (42, (36, 38)[place // 2 % 2])[: 2 - place % 2]:
            yield on(place * 240, pitch, channel)
            yield off(place * 240 + 60, pitch, channel)


def body(*events: Timed | Iterator[Timed], in_order: bool = False) -> bytes:
    """Events as a track's bytes, by their ticks unless their order is to stay."""
    flat: list[Timed] = []
    for each in events:
        flat += [each] if isinstance(each, tuple) else list(each)
    now, data = 0, b""
    for tick, event in flat if in_order else sorted(flat, key=lambda timed: timed[0]):
        data, now = data + variable_length(tick - now) + event, tick
    return data


CONDUCTOR = body(tempo(0, 100), meter(0, 4))


def piano(*events: Timed | Iterator[Timed]) -> bytes:
    """A track that says what it is."""
    return body(named("Piano"), program(0, 0), *events)


def song(*events: Timed | Iterator[Timed]) -> bytes:
    """A conductor and a piano."""
    return smf(CONDUCTOR, piano(*events))


def alone(*events: Timed | Iterator[Timed]) -> bytes:
    """A conductor and one track."""
    return smf(CONDUCTOR, body(*events))


def conducted(*events: Timed) -> bytes:
    """A piano under these tempos and meters."""
    return smf(body(*events), piano(tune()))


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = (n + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for n, d in chunks)
    content = b"RMID" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def legato() -> Iterator[Timed]:
    """Each note begins, at the same pitch or another, before the one before it ends."""
    pitches = [60, 60, 62, 62, 64]
    yield on(0, pitches[0])
    for place, (before, after) in enumerate(pairwise(pitches), 1):
        yield on(place * QUARTER, after)
        yield off(place * QUARTER, before)
    yield off(len(pitches) * QUARTER, pitches[-1])


def zone(master: int, members: int) -> list[Timed]:
    """An expressive line's channels, as its program tells an instrument."""
    return [control(master, 101, 0), control(master, 100, 6), control(master, 6, members)]


def spread(channels: Iterable[int], higher: int = 0) -> Iterator[Timed]:
    """One line, each note on the next of these channels."""
    each = list(channels)
    for place in range(32):
        pitch = TUNE[(place // 4 + place % 4 * 2) % 8] + higher
        yield from notes([pitch], each[place % len(each)], place * QUARTER)


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("song.mid"), data)
    return packed.getvalue()


def at_division(division: int) -> bytes:
    return smf(CONDUCTOR, piano(tune(step=division)), division=division)


PLAIN = song(tune())
UTF16 = "Flöte".encode("utf-16-be")
EXPORTS: tuple[tuple[str, str, bytes], ...] = (
    (
        "shared-program",
        "two tracks on one channel, the program in the first",
        smf(
            CONDUCTOR,
            body(named("Flute"), program(0, 73), tune()),
            body(named("Flute"), tune(higher=-5)),
        ),
    ),
    (
        "two-ports",
        "a channel of the first port changes its program on the second",
        smf(
            CONDUCTOR,
            body(named("Flute"), at(0, 0x21, b"\0"), program(0, 73), tune()),
            body(
                named("Violin"),
                at(0, 0x21, b"\2"),
                program(0, 44),
                program(1, 40),
                tune(1, higher=12),
            ),
        ),
    ),
    (
        "drums-on-channel-1",
        "a kit by its name alone",
        smf(
            CONDUCTOR,
            body(named("Drums"), beat(0)),
            body(named("Bass"), program(1, 33), tune(1, higher=-24)),
        ),
    ),
    (
        "violin-on-channel-10",
        "a melodic program where kits are",
        alone(named("Violin"), program(9, 40), tune(9)),
    ),
    (
        "mpe",
        "one line on fifteen channels",
        alone(
            named("Seaboard"),
            control(0, 101, 0),
            control(0, 100, 6),
            control(0, 6, 15),
            spread(range(1, 16)),
        ),
    ),
    (
        "tempo-after-the-end",
        "tempos after the last note",
        conducted(tempo(0, 120), meter(0, 4), tempo(8 * BAR, 30), tempo(40 * BAR, 120)),
    ),
    (
        "tempo-zero",
        "a quarter note of no time",
        conducted(tempo(0, 100), meter(0, 4), at(4 * BAR, 0x51, b"\0\0\0")),
    ),
    (
        "rubato",
        "a tempo every sixteenth",
        conducted(meter(0, 4), *(tempo(i * 120, 100 + i * 37 % 60 / 10) for i in range(126))),
    ),
    (
        "ramp",
        "slower and slower, to half",
        conducted(meter(0, 4), *(tempo(i * 60, 120 - i * 60 / 256) for i in range(256))),
    ),
    ("no-tempo-no-meter", "neither tempo nor meter", conducted()),
    ("late-tempo", "the first tempo in the second bar", conducted(meter(0, 4), tempo(BAR, 60))),
    ("zeros-at-the-end", "1,600 zeros after the last track", PLAIN + bytes(1600)),
    (
        "template",
        "a hundred tracks, four of them used",
        smf(
            CONDUCTOR,
            *(
                body(named(f"Track {i}"), *(tune(higher=i % 3) if i % 25 == 0 else ()))
                for i in range(99)
            ),
        ),
    ),
    (
        "foreign-chunk",
        "a header that counts a chunk that is no track",
        header(3) + PLAIN[14:] + chunk(b"XFIH", b"abcd"),
    ),
    ("rmi", "RIFF around a file", riff((b"data", PLAIN))),
    (
        "rmi-info",
        "RIFF with another chunk first",
        riff((b"LIST", b"INFOINAM" + struct.pack("<I", 5) + b"Song\0\0"), (b"data", PLAIN)),
    ),
    ("midi2", "a clip of MIDI 2.0", b"SMF2CLIP" + b"\x00\x40\x00\x00" * 2),
    ("smpte", "time in frames of film", smf(CONDUCTOR, piano(tune()), division=0xE728)),
    (
        "type-2",
        "format 2 with one track",
        smf(piano(tempo(0, 100), meter(0, 4), tune()), file_format=2),
    ),
    (
        "no-end-of-track",
        "a track that just stops",
        header(2) + chunk(b"MTrk", CONDUCTOR + END) + chunk(b"MTrk", piano(tune())),
    ),
    (
        "format-0",
        "sixteen channels in one track",
        smf(
            body(
                tempo(0, 100),
                meter(0, 4),
                *(
                    each
                    for c in range(16)
                    for each in (program(c, 8 * c), beat(9, 2) if c == 9 else tune(c, 2))
                ),
            ),
            file_format=0,
        ),
    ),
    (
        "endless-track",
        "a track as long as can be said",
        header(2) + chunk(b"MTrk", CONDUCTOR + END) + b"MTrk\xff\xff\xff\xff" + piano(tune()) + END,
    ),
    (
        "late-end-of-track",
        "ten minutes of nothing at the end",
        smf(CONDUCTOR, piano(tune()), end=variable_length(300 * BAR) + b"\xff\x2f\x00"),
    ),
    (
        "program-after-a-note",
        "a note before the program on the same tick",
        smf(
            CONDUCTOR,
            body(
                named("Violin"),
                on(0, 60),
                program(0, 40),
                off(460, 60),
                tune(start=QUARTER),
                in_order=True,
            ),
        ),
    ),
    (
        "legato",
        "a note ends when the next has begun",
        smf(CONDUCTOR, body(named("Piano"), program(0, 0), legato(), in_order=True)),
    ),
    (
        "never-off",
        "notes that are never ended",
        song(*(on(i * QUARTER, p) for i, p in enumerate(TUNE * 2))),
    ),
    (
        "program-in-the-middle",
        "another instrument after four bars",
        alone(
            named("Keys"),
            program(0, 0),
            tune(bars=4),
            program(0, 16, 4 * BAR - 5),
            tune(bars=4, start=4 * BAR),
        ),
    ),
    ("pedal-to-the-end", "a pedal that is never lifted", song(control(0, 64, 127), tune())),
    (
        "velocity-200",
        "a loudness that there is not",
        song(tune(), on(20000, 60, velocity=200), off(20480, 60)),
    ),
    (
        "pickup",
        "a bar of one beat, then of four",
        smf(
            body(tempo(0, 100), meter(0, 1), meter(QUARTER, 4)),
            piano(notes([67]), tune(start=QUARTER)),
        ),
    ),
    (
        "cut-bar",
        "a change of meter in the middle of a bar",
        conducted(tempo(0, 100), meter(0, 4), meter(2 * BAR + 960, 3)),
    ),
    (
        "six-eight",
        "six eighths, counted in two",
        smf(
            body(tempo(0, 90), meter(0, 6, 3)),
            piano(notes([TUNE[i % 8] for i in range(96)], step=240)),
        ),
    ),
    ("meter-0", "a meter of no beats", conducted(tempo(0, 100), meter(0, 0))),
    (
        "key-g-minor",
        "a key signature of G minor",
        smf(
            body(tempo(0, 100), meter(0, 4), key(-2, True)),
            piano(
                notes([(58, 60, 62, 63, 65, 67, 69, 70)[(5 * i + i // 3) % 8] for i in range(32)])
            ),
        ),
    ),
    (
        "key-d-flat",
        "a key signature of D flat major",
        smf(
            body(tempo(0, 100), meter(0, 4), key(-5, False)),
            piano(notes([(61, 65, 68, 61, 60, 63, 66, 61)[i % 8] for i in range(64)])),
        ),
    ),
    ("utf-16-name", "a name in UTF-16", alone(named("Flöte 1".encode("utf-16")), tune())),
    (
        "utf-16-be",
        "name and marker in UTF-16, the other way round",
        smf(
            body(tempo(0, 100), meter(0, 4), at(0, 6, b"\xfe\xff" + "Refrain".encode("utf-16-be"))),
            body(named(b"\xfe\xff" + UTF16), tune()),
        ),
    ),
    ("shift-jis", "a name in Shift-JIS", alone(named("バイオリン".encode("shift_jis")), tune())),
    (
        "zeros-in-names",
        "thirty names that end in a zero",
        smf(
            CONDUCTOR,
            *(body(named(b"Part %d\0" % i), tune(bars=2, higher=i % 5)) for i in range(30)),
        ),
    ),
    *((f"division-{d}", f"{d:,} ticks a quarter", at_division(d)) for d in (1, 24, 9600, 32767)),
    ("empty", "a file of no bytes", b""),
    ("audio", "sound instead of notes", b"RIFF\x24\0\0\0WAVEfmt " + bytes(20)),
    (
        "empty-bars-first",
        "thirty-two empty bars first",
        alone(named("Keys"), program(0, 4), tune(start=32 * BAR)),
    ),
    (
        "no-programs",
        "four named tracks, no program",
        smf(
            CONDUCTOR,
            *(
                body(named(name), tune(higher=higher))
                for name, higher in (
                    ("Violins I", 12),
                    ("Trumpet", 0),
                    ("Fingered Bass", -24),
                    ("Choir", 0),
                )
            ),
        ),
    ),
    (
        "sections-as-text",
        "sections as texts and cues",
        smf(
            body(tempo(0, 100), meter(0, 4), at(0, 1, b"Intro"), at(4 * BAR, 7, b"Verse")),
            piano(tune()),
        ),
    ),
    (
        "kit-in-pieces",
        "each drum on a track of its own, by its name alone",
        smf(
            CONDUCTOR,
            *(
                body(named(name), notes([pitch] * 16, channel))
                for channel, (name, pitch) in enumerate((("Kick", 36), ("Snare", 38), ("HH", 42)))
            ),
        ),
    ),
    ("kit-without-a-name", "a kit that nothing names", alone(named("Inst 3"), beat(0))),
    (
        "some-names-tell",
        "no program, and names of which one tells",
        smf(
            CONDUCTOR,
            *(body(named(name), tune()) for name in ("FLEX", "Retro Bass", "Patch 7")),
        ),
    ),
    (
        "rhythm-part",
        "a part that Roland's message makes drums",
        alone(
            named("Part 11"),
            (0, b"\xf0\x0a\x41\x10\x42\x12\x40\x1a\x15\x02\x0f\xf7"),
            program(10, 0),
            beat(10),
        ),
    ),
    (
        "rhythm-bank",
        "a bank of drum kits",
        alone(named("Part 4"), control(3, 0, 127), control(3, 32, 0), program(3, 0), beat(3)),
    ),
    (
        "bank-after-program",
        "a program, and its bank behind it",
        alone(named("Lead"), program(0, 81), control(0, 0, 8), control(0, 32, 0), tune()),
    ),
    (
        "silenced",
        "notes that are ended by silencing all",
        song(
            *(on(i * QUARTER, TUNE[i % 8]) for i in range(16)),
            *(control(0, 123, 0, i * QUARTER + 460) for i in range(16)),
        ),
    ),
    (
        "no-length",
        "every other note of no length",
        song(
            *(
                e
                for i in range(16)
                for e in (on(i * 480, 60 + i), off(i * 480 + i % 2 * 400, 60 + i))
            )
        ),
    ),
    (
        "struck-while-it-sounds",
        "a pitch struck again while it sounds",
        song(on(0, 60), on(480, 60), off(960, 60), off(1920, 60), tune(start=BAR)),
    ),
    (
        "status-over-a-message",
        "data that goes on behind a system message",
        smf(
            CONDUCTOR,
            b"\0\xc0\0\0\x90\x3c\x50\x83\x60\x3c\0\0\xf0\x05\x7e\x7f\x09\x01\xf7\0\x40\x50\x83\x60\x40\0"
            + piano(tune()),
        ),
    ),
    ("gzip", "a file that gzip packed", gzip.compress(PLAIN, mtime=0)),
    (
        "behind-a-header",
        "a header of the web before the file's",
        b"HTTP/1.1 200 OK\r\n\r\n" + PLAIN,
    ),
    ("web-page", "a page that says that there is no such file", b"<!DOCTYPE html><html>404</html>"),
    ("no-division", "no ticks a quarter", smf(CONDUCTOR, piano(tune()), division=0)),
    ("long-name", "a name of a thousand letters", alone(named("Piano " * 170), tune())),
    (
        "instrument-text",
        "the instrument in a text beside the name",
        alone(named("Track 1"), at(0, 4, b"Cello"), tune(higher=-12)),
    ),
    (
        "two-on-a-tick",
        "two tempos at once",
        conducted(meter(0, 4), tempo(0, 80), tempo(0, 140)),
    ),
    ("short-tempo", "a tempo of two bytes", conducted(meter(0, 4), at(0, 0x51, b"\x07\xa1"))),
    (
        "odd-key",
        "a key signature of nine sharps",
        conducted(tempo(0, 100), meter(0, 4), at(0, 0x59, b"\x09\x05")),
    ),
    (
        "tiny-bar",
        "a bar of a 32nd, then of four quarters",
        conducted(tempo(0, 100), meter(0, 1, 5), meter(60, 4)),
    ),
    (
        "thirteen-sixteenths",
        "bars of fifteen eighths and thirteen sixteenths",
        conducted(tempo(0, 100), meter(0, 15, 3), meter(3600, 13, 4)),
    ),
    (
        "eighth-upbeat",
        "an upbeat of an eighth that the bar lines do not know",
        song(
            notes([67], step=240), notes([TUNE[(5 * i + i // 4) % 8] for i in range(64)], start=240)
        ),
    ),
    (
        "mpe-of-seven",
        "one line on seven channels, without a message that says so",
        alone(
            named("Rise"),
            *(e for i in range(32) for e in notes([TUNE[i % 8]], 1 + i % 7, i * QUARTER)),
        ),
    ),
    (
        "names-of-channels",
        "a name for each channel of a track",
        alone(
            at(0, 0x20, b"\3"),
            named("Cello"),
            at(0, 0x20, b"\4"),
            named("Oboe"),
            tune(3, higher=-12),
            tune(4, higher=12),
        ),
    ),
    (
        "two-full-ports",
        "twenty instruments on two ports",
        smf(
            CONDUCTOR,
            *(
                body(
                    named(f"Part {i}"),
                    at(0, 0x21, bytes([i // 10])),
                    program(i % 10 % 9, 3 * i),
                    tune(i % 10 % 9, 2, higher=i % 5),
                )
                for i in range(20)
            ),
        ),
    ),
    (
        "too-many",
        "twenty-six instruments",
        smf(CONDUCTOR, *(body(program(i % 9, 3 * i), tune(i % 9, 2)) for i in range(26))),
    ),
    (
        "refrain",
        "markers in German",
        smf(
            body(
                tempo(0, 100),
                meter(0, 4),
                at(0, 6, b"Strophe 1"),
                at(4 * BAR, 6, b"Refrain"),
                at(6 * BAR, 6, b"Schluss"),
            ),
            piano(tune()),
        ),
    ),
    (
        "after-the-end",
        "events behind a track's end",
        header(2)
        + chunk(b"MTrk", CONDUCTOR + END)
        + chunk(b"MTrk", piano(tune()) + END + b"\0\x90\x3c\x50" + END),
    ),
    (
        "long-number",
        "a number of five bytes",
        smf(CONDUCTOR, b"\x80\x80\x80\x80\0\xc0\0" + piano(tune())),
    ),
    ("only-drums", "a kit alone", alone(named("Kit"), beat(9))),
    (
        "name-in-euc-jp",
        "a name in Japan's encoding for Unix",
        alone(named("フルート".encode("euc_jp")), tune()),
    ),
    (
        "stray-region",
        "a region that lies a thousand bars behind the others",
        song(tune(), tune(start=1000 * BAR)),
    ),
    (
        "no-lengths",
        "notes of no length alone",
        song(*(event for i in range(16) for event in (on(i * QUARTER, 60), off(i * QUARTER, 60)))),
    ),
    (
        "frames-dropped",
        "time in frames of American television",
        header(2, division=0xE350)
        + chunk(b"MTrk", CONDUCTOR + END)
        + chunk(b"MTrk", body(tune()) + END),
    ),
    ("cubase", "a project of another program", b"RIFF\0\0\0\x40NUNDROOT"),
    (
        "bass-in-czech",
        "a bass guitar in Czech, a kit in Hungarian",
        smf(
            CONDUCTOR,
            body(named("Basová kytara"), tune(0, higher=-24)),
            body(named("Dobok"), beat(1)),
        ),
    ),
    (
        "played-off-the-grid",
        "swung and played",
        song(
            *(
                e
                for i in range(64)
                for e in notes([TUNE[3 * i % 8]], 0, i * 240 + i % 2 * 80 + i * 7 % 13, 200)
            )
        ),
    ),
    (
        "gm2-melody-on-10",
        "General MIDI 2, whose bank makes channel 10 a melody",
        smf(
            body(tempo(0, 100), meter(0, 4), (0, b"\xf0\x05\x7e\x7f\x09\x03\xf7")),
            body(named("Strings"), control(9, 0, 121), program(9, 48), tune(9)),
        ),
    ),
    (
        "two-zones",
        "two expressive lines (MPE), from either end of the channels",
        smf(
            CONDUCTOR,
            body(named("Lead"), zone(0, 7), program(0, 81), spread(range(1, 8))),
            body(named("Bass"), zone(15, 7), program(15, 33), spread(range(14, 7, -1), -24)),
        ),
    ),
    (
        "every-controller",
        "sixteen channels with every controller, bends, pressures and texts",
        smf(
            CONDUCTOR,
            *(
                body(
                    program(c, 8 * (c % 4)),
                    [control(c, number, 1) for number in range(120)],
                    [(0, bytes((0xE0 | c, 0, 70))), (0, bytes((0xD0 | c, 9)))],
                    [at(0, kind, b"words") for kind in (1, 2, 4, 5)],
                    notes([48 + c] * 8, c),
                )
                for c in range(16)
            ),
        ),
    ),
    ("two-names", "a second name says what plays", alone(named("Track 3"), named("Cello"), tune())),
    ("tom", "a track of somebody called Tom", alone(named("Tom"), tune())),
    ("tom-toms", "a track of toms called Tom", alone(named("Tom"), notes([50, 48, 45, 43] * 8))),
    ("808", "a bass called 808", alone(named("808"), notes([31, 31, 33, 36] * 8))),
    (
        "altos",
        "names in French, where altos are violas",
        smf(CONDUCTOR, body(named("Violons"), tune()), body(named("Altos"), tune(1, higher=-7))),
    ),
    ("utf-8-twice", "a name written as UTF-8 twice", alone(named("FlÃ¶te"), tune())),
    ("dos", "a name of a sequencer under DOS", alone(named("Flöte".encode("cp850")), tune())),
    (
        "utf-16-russian",
        "a Russian name in UTF-16 without a mark",
        alone(named("Скрипка".encode("utf-16-be")), tune()),
    ),
    ("zip", "a zip archive", zipped(PLAIN)),
    (
        "click",
        "a metronome that was exported, too",
        smf(CONDUCTOR, piano(tune()), body(named("Click"), notes([76, 77, 77, 77] * 8, 9))),
    ),
    ("meter-7-32", "bars of 7/32", conducted(tempo(0, 100), meter(0, 7, 5))),
    ("meter-255-1", "a bar of 255 whole notes", conducted(tempo(0, 100), meter(0, 255, 0))),
    (
        "section-brackets",
        "sections in brackets, and with their places",
        smf(
            body(tempo(0, 100), meter(0, 4), at(0, 6, b"[Intro]"), at(4 * BAR, 6, b"2. Chorus:")),
            piano(tune()),
        ),
    ),
    (
        "chords-as-markers",
        "chords in brackets as markers",
        smf(
            body(tempo(0, 100), meter(0, 4), at(0, 6, b"[C]"), at(4 * BAR, 6, b"[Am]")),
            piano(tune()),
        ),
    ),
)
