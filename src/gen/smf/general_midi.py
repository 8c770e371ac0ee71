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

LOWEST_PITCH: dict[int, int] = {
    **dict.fromkeys(range(24, 32), 38),  # guitars, down-tuned to D
    **dict.fromkeys(range(32, 40), 23),  # basses with a low B
    40: 55, 41: 48, 42: 36, 43: 24, 44: 24, 45: 24, 46: 23, 47: 36, 48: 24, 49: 24, 50: 24, 51: 24,
    **dict.fromkeys(range(52, 55), 36),  # voices
    56: 52, 57: 34, 58: 24, 59: 52, 60: 34, 61: 28, 62: 28, 63: 28,
    64: 56, 65: 49, 66: 44, 67: 36, 68: 58, 69: 52, 70: 34, 71: 50, 72: 74, 73: 59, 74: 60,
    75: 55, 76: 55, 77: 50, 78: 60, 79: 60,
}  # fmt: skip
"""The lowest sounding pitch of instruments that have one (a margin for extensions included)."""


def instrument_name(instrument: int) -> str:
    """Name of a program 0-127, or "drums" for `DRUM_PROGRAM`."""
    return "drums" if instrument == DRUM_PROGRAM else NAMES[instrument]
