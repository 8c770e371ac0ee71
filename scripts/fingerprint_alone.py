"""Makes a list of fingerprints of your MIDI files, for a music house to look them up by.

    python fingerprint_alone.py FOLDER --holder "Your name" --out list.json [--numbers]

It runs on your computer, needs nothing but Python 3.9 or later, opens no connection, and writes one
file: for each piece, hashes of six successive melodic steps at a time, and the bars they begin in.
No title (with --numbers not even a file's name), lyric, loudness or instrument is in it, and of the
rhythm no more than which notes of a line sound at eighths.
Whoever has the list can try out steps until the hashes agree, and so learn the melodic lines up to
their key: send it to whom you trust to ask only what you asked. docs/letter.md explains every byte.

Exit codes: 0 every file was read, 2 some were not (each is named, with its reason) or none is there.
"""

import argparse
import heapq
import json
import os
import struct
import sys
from hashlib import sha256
from pathlib import Path

FORMAT = 2
STEPS = 6  # in one hash
KINDS = ("upper", "plain", "beats")
DRUMS = 9  # the channel of kits, counted from 0
SUFFIXES = {".mid", ".midi", ".smf"}
MOST_FILES, MOST_BYTES, MOST_NOTES = 10_000, 4 << 20, 60_000
LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}


class Unread(Exception):
    """A file that is not read, with the reason."""


def need(holds, reason):
    if not holds:
        raise Unread(reason)


# -- Standard MIDI Files --------------------------------------------------------------------------
def read_midi(data):
    """Ticks of a quarter, meters as (tick, numerator, denominator), and notes of each voice.

    A voice is what one channel of one track plays on one instrument, kits left out: a list of
    [tick, pitch, ticks it lasts].
    """
    need(data[:4] == b"MThd" and len(data) >= 14, "no Standard MIDI File")
    length, _, tracks, unit = struct.unpack(">IHHh", data[4:14])
    need(unit > 0, "its time is counted in frames, not in quarter notes")
    meters, voices, place = [], {}, 8 + length
    for _ in range(tracks):
        while data[place : place + 4] not in (b"MTrk", b""):
            place += 8 + number_at(data, place + 4)
        need(data[place : place + 4] == b"MTrk", "a track is missing")
        end = place + 8 + number_at(data, place + 4)
        need(end <= len(data), "a track is cut short")
        read_track(data, place + 8, end, meters, voices, place)
        place = end
    return unit, sorted(meters), list(voices.values())


def number_at(data, place):
    need(place + 4 <= len(data), "it is cut short")
    return int.from_bytes(data[place : place + 4], "big")


def read_track(data, place, end, meters, voices, track):
    """Take in the events of one track; `track` only tells it from others."""
    tick, status, programs, sounding = 0, 0, [0] * 16, {}
    while place < end:
        delta, place = long_number(data, place, end)
        tick += delta
        need(place < end, "an event is cut short")
        if data[place] >= 0x80:
            status, place = data[place], place + 1
        need(status, "an event has no status")
        if status >= 0xF0:
            kind = data[place] if status == 0xFF and place < end else None
            size, begin = long_number(data, place + (status == 0xFF), end)
            place = begin + size
            need(place <= end, "an event is cut short")
            if kind == 0x58 and size >= 2 and data[begin] and data[begin + 1] < 16:
                meters.append((tick, data[begin], 1 << data[begin + 1]))
            if kind == 0x2F:
                break
            status = 0
            continue
        kind, channel, size = status >> 4, status & 15, LENGTHS[status >> 4]
        need(place + size <= end, "an event is cut short")
        first, second = data[place], data[place + size - 1]
        place += size
        if kind == 0xC:
            programs[channel] = first
        if kind in (0x8, 0x9) and (channel, first) in sounding:
            note = sounding.pop((channel, first))
            note[2] = tick - note[0]
        if kind == 0x9 and second and channel != DRUMS:
            note = sounding[channel, first] = [tick, first, 0]
            voices.setdefault((track, channel, programs[channel]), []).append(note)
    for note in sounding.values():
        note[2] = tick - note[0]


def long_number(data, place, end):
    """A number of seven bits a byte, and the place after it."""
    value = 0
    for count in range(4):
        need(place + count < end, "a number is cut short")
        value = value << 7 | data[place + count] & 0x7F
        if data[place + count] < 0x80:
            return value, place + count + 1
    raise Unread("a number is too long")


# -- lines and hashes -----------------------------------------------------------------------------
def upper_line(notes, unit):
    """The highest note of each chord, repeated pitches joined: (begin, pitch, end) of each.

    Notes that begin less than a 64th after a chord's first note belong to it.
    """
    spread, line = max(unit // 16, 1), []
    for tick, pitch, lasts in sorted(notes, key=lambda note: (note[0], -note[1])):
        if not line or tick - line[-1][0] >= spread:
            line.append((tick, pitch, tick + lasts))
        elif pitch > line[-1][1]:
            line[-1] = line[-1][0], pitch, tick + lasts
    return joined(line)


def joined(line):
    """A line in which no pitch comes twice in a row."""
    found = []
    for begin, pitch, end in line:
        if found and found[-1][1] == pitch:
            begin, pitch, _ = found.pop()
        found.append((begin, pitch, end))
    return found


def plain_line(line):
    """A line without its ornaments, the shortest left out first, one at most after each note.

    An ornament is shorter than three tenths of the note before it, which then lasts until it ends.
    A note's length goes to its end, or to the next note if that begins earlier.
    """
    begins = [note[0] for note in line]
    lengths = [min(end, after) - begin for (begin, _, end), after in zip(line, begins[1:])]
    lengths.append(line[-1][2] - line[-1][0])
    waiting, left_out = [(length, at) for at, length in enumerate(lengths)], set()
    heapq.heapify(waiting)
    while waiting:
        length, at = heapq.heappop(waiting)
        if at == 0 or length != lengths[at] or at in left_out or at - 1 in left_out:
            continue
        if 10 * length < 3 * lengths[at - 1]:
            left_out.add(at)
            lengths[at - 1] = begins[at] + length - begins[at - 1]
            heapq.heappush(waiting, (lengths[at - 1], at - 1))
    return joined([note for at, note in enumerate(line) if at not in left_out])


def beat_line(line, unit):
    """Those notes of a line that sound, or have sounded last, at an eighth, or a 64th after it."""
    late, found = unit // 16, []
    for note, after in zip(line, [*(note[0] for note in line[1:]), sys.maxsize]):
        eighth = -(2 * (late - note[0]) // unit)  # the first one not before the note
        if eighth * unit // 2 + late < after:
            found.append(note)
    return joined(found)


def bars_of(ticks, unit, meters):
    """The bar, from 1, in which each of some ascending ticks lies."""
    meters = meters if meters and meters[0][0] == 0 else [(0, 4, 4), *meters]
    found, bar, place = [], 1, 0
    for tick in ticks:
        while place + 1 < len(meters) and meters[place + 1][0] <= tick:
            start, after = meters[place][0], meters[place + 1][0]
            bar += -((start - after) // length_of(meters[place], unit))
            place += 1
        found.append(bar + (tick - meters[place][0]) // length_of(meters[place], unit))
    return found


def length_of(meter, unit):
    return max(unit * 4 * meter[1] // meter[2], 1)


def hashes_of(line):
    """The first eight bytes of SHA-256 of each `STEPS` successive steps, in hex."""
    steps = [after[1] - note[1] for note, after in zip(line, line[1:])]
    texts = (",".join(map(str, steps[at : at + STEPS])) for at in range(len(steps) - STEPS + 1))
    return [sha256(f"line of steps: {text}".encode()).hexdigest()[:16] for text in texts]


def lines_of(unit, meters, voices):
    """What is said of a piece: of each voice, and of all, the upper line, and what is left of it."""
    together = [[note for notes in voices for note in notes]] if len(voices) > 1 else []
    parts = [*voices, *together]
    found = []
    for number, notes in enumerate(parts, 1):
        upper = upper_line(notes, unit)
        said = []
        for kind, line in zip(KINDS, (upper, plain_line(upper), beat_line(upper, unit))):
            hashes = hashes_of(line)
            if hashes and line not in said:
                said.append(line)
                bars = bars_of([note[0] for note in line[: len(hashes)]], unit, meters)
                part = number if number <= len(voices) else 0
                found.append({"bars": bars, "hashes": "".join(hashes), "kind": kind, "part": part})
    return found


# -- the list -------------------------------------------------------------------------------------
def fingerprint(path):
    """The entry of one file, without its name."""
    need(not path.is_symlink() and path.is_file(), "it is no regular file")
    need(path.stat().st_size <= MOST_BYTES, f"it has more than {MOST_BYTES >> 20} MiB")
    unit, meters, voices = read_midi(path.read_bytes())
    notes = sum(map(len, voices))
    need(notes <= MOST_NOTES, f"it has more than {MOST_NOTES} notes")
    lines = lines_of(unit, meters, voices)
    need(lines, f"no line in it has {STEPS + 1} notes: there is nothing to look it up by")
    return {"lines": lines, "notes": notes}


def list_of(folder, holder, numbered):
    """The list of all MIDI files in a folder and the folders in it."""
    works, unread, found = [], [], []
    for at, _, names in os.walk(folder, onerror=lambda error: unread.append(no_folder(error))):
        found += [Path(at) / name for name in names]
    files = sorted(f for f in found if f.suffix.lower() in SUFFIXES and not f.name.startswith("._"))
    need(files, f"{folder}: no MIDI file is in it (.mid, .midi, .smf)")
    need(len(files) <= MOST_FILES, f"{folder}: more than {MOST_FILES} files; take a part of it")
    for number, path in enumerate(files, 1):
        name = str(number) if numbered else text_of(path.relative_to(folder).as_posix())
        try:
            works.append({"name": name, **fingerprint(path)})
        except Unread as error:
            unread.append({"name": name, "reason": str(error)})
        except OSError as error:
            unread.append({"name": name, "reason": error.strerror})
        if numbered:
            print(f"{number} is {text_of(path)}", file=sys.stderr)
    return {"format": FORMAT, "holder": text_of(holder), "unread": unread, "works": works}


def no_folder(error):
    """The entry of a folder that cannot be looked into, without its name, which may be a title."""
    return {"name": "a folder", "reason": error.strerror}


def text_of(name):
    """A name as text, whatever bytes it has."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def write_list(made, path):
    """Write a list as a new file, all of it or nothing; its SHA-256."""
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    data = f"{text}\n".encode()
    need(not os.path.lexists(path), f"{path}: there is such a file already; name a new one")
    with path.open("xb", buffering=0) as file:
        try:
            need(file.write(data) == len(data), "no room for all of it")
        except (Unread, OSError) as error:
            path.unlink()
            raise Unread(f"{path}: {error}") from None
    return sha256(data).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--holder", required=True, help="who you are, as the answer will call you")
    parser.add_argument("--out", type=Path, required=True, help="where the list goes, a new file")
    parser.add_argument("--numbers", action="store_true", help="numbers in place of files' names")
    asked = parser.parse_args()
    try:
        need(asked.folder.is_dir(), f"{asked.folder}: no folder; name the one that has your files")
        made = list_of(asked.folder, asked.holder, asked.numbers)
        digest = write_list(made, asked.out)
    except (Unread, OSError) as error:
        print(text_of(error), file=sys.stderr)
        return 2
    for each in made["unread"]:
        print(f"not read: {each['name']}: {each['reason']}", file=sys.stderr)
    try:
        counts = f"{len(made['works'])} pieces, {len(made['unread'])} not read"
        print(f"{text_of(asked.out)}: {counts}")
        print(f"SHA-256 {digest}: keep it, the answer will name it", flush=True)
    except OSError as error:  # a full disk: the list is whole, its digest was not said
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print(f"{text_of(asked.out)} is written, but not what it is: {error}", file=sys.stderr)
        return 2
    return 2 if made["unread"] else 0


if __name__ == "__main__":
    sys.exit(main())
