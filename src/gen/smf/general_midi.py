"""General MIDI: instrument names, and the ranges within which they play."""

from __future__ import annotations

from gen.piece import DRUM_PROGRAM

NAMES: tuple[str, ...] = tuple(
    """acoustic grand piano,bright piano,electric grand piano,honky-tonk piano,electric piano 1,
    electric piano 2,harpsichord,clavinet,celesta,glockenspiel,music box,vibraphone,marimba,
    xylophone,tubular bells,dulcimer,drawbar organ,percussive organ,rock organ,church organ,
    reed organ,accordion,harmonica,bandoneon,nylon guitar,steel guitar,jazz guitar,clean guitar,
    muted guitar,overdriven guitar,distortion guitar,guitar harmonics,acoustic bass,fingered bass,
    picked bass,fretless bass,slap bass 1,slap bass 2,synth bass 1,synth bass 2,violin,viola,cello,
    contrabass,tremolo strings,pizzicato strings,harp,timpani,string ensemble 1,string ensemble 2,
    synth strings 1,synth strings 2,choir aahs,voice oohs,synth voice,orchestra hit,trumpet,
    trombone,tuba,muted trumpet,french horn,brass section,synth brass 1,synth brass 2,soprano sax,
    alto sax,tenor sax,baritone sax,oboe,english horn,bassoon,clarinet,piccolo,flute,recorder,
    pan flute,blown bottle,shakuhachi,whistle,ocarina,square lead,sawtooth lead,calliope lead,
    chiff lead,charang lead,voice lead,fifths lead,bass and lead,new age pad,warm pad,polysynth pad,
    choir pad,bowed pad,metallic pad,halo pad,sweep pad,rain effect,soundtrack effect,
    crystal effect,atmosphere effect,brightness effect,goblins effect,echoes effect,sci-fi effect,
    sitar,banjo,shamisen,koto,kalimba,bagpipe,fiddle,shanai,tinkle bell,agogo,steel drums,
    woodblock,taiko drum,melodic tom,synth drum,reverse cymbal,guitar fret noise,breath noise,
    seashore,bird tweet,telephone,helicopter,applause,gunshot""".replace("\n", " ").split(",")
)
NAMES = tuple(" ".join(name.split()) for name in NAMES)
"""Lower-case names of programs 0-127."""

ANY_PITCH = (0, 127)

RANGES: dict[int, tuple[int, int]] = {
    **dict.fromkeys(range(6), (21, 108)),  # pianos
    6: (28, 91), 7: (28, 91), 8: (48, 108), 9: (55, 108), 10: (48, 108), 11: (48, 96),
    12: (36, 96), 13: (53, 108), 14: (48, 84), 15: (36, 96),
    **dict.fromkeys(range(16, 21), (24, 108)),  # organs
    21: (28, 101), 22: (43, 98), 23: (33, 98),
    **dict.fromkeys(range(24, 31), (38, 88)),  # guitars, down-tuned to D, with 24 frets
    31: (38, 100),
    **dict.fromkeys(range(32, 38), (23, 67)),  # basses with a low B, with 24 frets
    **dict.fromkeys(range(38, 40), (23, 127)),
    40: (55, 105), 41: (48, 93), 42: (36, 88), 43: (24, 67), 44: (24, 105), 45: (24, 105),
    46: (23, 104), 47: (36, 60), 48: (24, 105), 49: (24, 105), 50: (24, 127), 51: (24, 127),
    52: (36, 88), 53: (36, 88), 54: (36, 127),  # voices
    56: (52, 88), 57: (34, 77), 58: (24, 67), 59: (52, 88), 60: (34, 77), 61: (28, 88),
    62: (28, 127), 63: (28, 127),
    64: (56, 91), 65: (49, 86), 66: (44, 81), 67: (36, 74), 68: (58, 93), 69: (52, 84),
    70: (34, 77), 71: (50, 96), 72: (74, 108), 73: (59, 98), 74: (60, 98), 75: (55, 96),
    76: (55, 96), 77: (50, 91), 78: (60, 103), 79: (60, 96),
    104: (36, 91), 105: (48, 88), 106: (43, 88), 107: (36, 93), 108: (48, 96), 109: (45, 86),
    110: (55, 105), 111: (55, 91), 114: (36, 91),
}  # fmt: skip
"""The lowest and highest sounding pitch of instruments that have them, extensions and high
registers of good players included; where parts are written an octave or two below (celesta,
glockenspiel, xylophone), from the lowest written one. Synthesisers, pads and effects have none."""


def range_of(instrument: int) -> tuple[int, int]:
    """Lowest and highest pitch of a program 0-127, `ANY_PITCH` where it has no range."""
    return RANGES.get(instrument, ANY_PITCH)


def instrument_name(instrument: int) -> str:
    """Name of a program 0-127, or "drums" for `DRUM_PROGRAM`."""
    return "drums" if instrument == DRUM_PROGRAM else NAMES[instrument]
