"""Files by chance as no program should write them, and many have: whole, and odd inside."""

from __future__ import annotations

from hypothesis import strategies as st

from midi_files import chunk, event, header, meta

LONGEST_DELTA = (1 << 28) - 1
"""What a variable-length number holds."""

Timed = tuple[int, bytes]
"""A tick and an event's bytes, without its delta time."""


@st.composite
def odd_files(draw: st.DrawFn) -> bytes:
    """Notes doubled, empty, unended or beyond the end; meters and tempos of any value anywhere."""
    division = draw(st.sampled_from((1, 7, 24, 30, 96, 120, 384, 480, 960, 9_600, 15_360, 32_767)))
    file_format = draw(st.sampled_from((0, 1)))
    count = 1 if file_format == 0 else draw(st.integers(1, 4))
    bodies = [_body(draw, draw(_events(division, number == 0))) for number in range(count)]
    tracks = b"".join(chunk(b"MTrk", body) for body in bodies)
    return header(count, file_format, division) + tracks


def _ticks(division: int) -> st.SearchStrategy[int]:
    """Beats and sixteenths, and what lies beside them; now and then far away."""
    on_grid = st.integers(0, 160).map(lambda sixteenths: sixteenths * division // 4)
    beside = st.tuples(on_grid, st.integers(-3, 3)).map(lambda pair: max(sum(pair), 0))
    anywhere = st.integers(0, 50 * division)
    return st.one_of(on_grid, on_grid, beside, anywhere)


@st.composite
def _events(draw: st.DrawFn, division: int, is_first: bool) -> list[Timed]:
    ticks = _ticks(division)
    found: list[Timed] = []
    for _ in range(draw(st.integers(0, 10))):
        tick, channel, pitch = draw(ticks), draw(st.integers(0, 15)), draw(st.integers(0, 127))
        length = draw(st.one_of(st.just(0), ticks, st.integers(1, 3 * division), st.none()))
        found.append((tick, bytes((0x90 | channel, pitch, draw(st.integers(0, 127))))))
        if length is not None:
            found.append((tick + length, bytes((0x80 | channel, pitch, 64))))
    if is_first or draw(st.booleans()):
        found += [(draw(ticks), draw(_conducting())) for _ in range(draw(st.integers(1, 6)))]
    found += [(draw(ticks), draw(_moves())) for _ in range(draw(st.integers(0, 3)))]
    if draw(st.integers(0, 30)) == 0:
        far = draw(st.sampled_from((16_384 * division, 16_385 * division, LONGEST_DELTA)))
        found.append((far, bytes((0x90, 60, 0))))
    found.sort(key=lambda timed: timed[0])
    return found


def _conducting() -> st.SearchStrategy[bytes]:
    """Tempos, meters and keys of any value, right or not."""
    tempo = st.one_of(
        st.sampled_from((0, 1, 59_999, 60_000, 500_000, 12_000_000, 12_000_001, 0xFFFFFF)),
        st.integers(0, 0xFFFFFF),
    ).map(lambda value: meta(0, 0x51, value.to_bytes(3, "big")))
    numerators = st.one_of(st.integers(1, 16), st.sampled_from((0, 17, 255)))
    meter = st.tuples(numerators, st.one_of(st.integers(1, 4), st.integers(0, 8))).map(
        lambda pair: meta(0, 0x58, bytes((*pair, 24, 8)))
    )
    key = st.tuples(st.integers(-9, 9), st.integers(0, 2)).map(
        lambda pair: meta(0, 0x59, bytes((pair[0] & 255, pair[1])))
    )
    short = st.sampled_from((0x51, 0x58, 0x59)).map(lambda kind: meta(0, kind, b"\x04"))
    return st.one_of(tempo, meter, meter, meter, key, short).map(lambda found: found[1:])


def _moves() -> st.SearchStrategy[bytes]:
    """Pedals, programs, banks, bends, ports, names and markers."""
    channel, value = st.integers(0, 15), st.integers(0, 127)
    return st.one_of(
        st.builds(lambda c, n, v: bytes((0xB0 | c, n, v)), channel, value, value),
        st.builds(lambda c, v: bytes((0xB0 | c, 64, v)), channel, value),
        st.builds(lambda c, v: bytes((0xC0 | c, v)), channel, value),
        st.builds(lambda c, v: bytes((0xE0 | c, v, v)), channel, value),
        st.builds(lambda v: meta(0, 0x21, bytes((v,)))[1:], value),
        st.builds(
            lambda kind, text: meta(0, kind, text)[1:],
            st.sampled_from((1, 3, 4, 5, 6, 7)),
            st.binary(max_size=9),
        ),
    )


def _body(draw: st.DrawFn, events: list[Timed]) -> bytes:
    body, now = b"", 0
    for tick, data in events:
        steps = min(tick - now, LONGEST_DELTA)
        body += event(steps, data)
        now += steps
    late = draw(st.sampled_from((0, 0, 1, 480, 100_000)))
    return body + draw(st.sampled_from((event(late, b"\xff\x2f\x00"), b"")))
