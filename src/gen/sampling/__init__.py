"""New pieces: a request becomes a plan, a plan a draft, a draft a piece with its receipt.

The modules in the order in which a run goes through them:

1. `request`, `controls`: what is asked for, checked once.
2. `session`, `opened`, `checkpoints`: the model, its house and the works behind it, verified.
3. `job`, `plan`, `forms`: what is to be written, in ids; `in_file`: the same in a producer's file.
4. `decode`, `step`: prefill, then one event after another; `drafting`: where a piece stands, what
   may follow, what is owed; `miditok_tokens`: plan, grammar and loop of MidiTok's own tokens.
5. `finish`: rows become a piece with a name.
6. `obedience`, `takes`: what came out beside what was asked; whether an attempt will do.
7. `receipt`: how a piece came about; `reproduce` writes it again from that.

`run` is all of it in one function.
"""
