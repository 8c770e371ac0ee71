"""What checkpoints are worth: figures with their intervals, pictures, one page, a listening test.

`report.json` holds every number of an evaluation. A *figure* is
`{"value", "low", "high", "n", "groups"}`: `low` and `high` bound the 95 % interval, `n` counts
works, pieces or tries, which are in so many `groups` (arrangements of one theme) that vary
together; of fewer than five groups `low` and `high` are None and `values` may tell what each gave
(`interval`). A value is None where nothing defines it. A `verdict` says whether the interval of a
difference holds 0: `none` (not found, which is not to say that there is none), else `higher` or
`lower`. Below, a *model* is a checkpoint or a baseline, by name. Each module named here states
definition, formula, source and deviations.

- `format`: "gen evaluation 2"; `code_version`, `torch`, `seed`, `split`, `fast`, `house`.
- `notes`: what a reader should know of the works, and what of a model of other tokens than the
  house's events was left out, as sentences.
- `works`: works on each side of the split that may be measured.
- `sizes`, `draw`: how much was measured, and how pieces were drawn (`settings`).
- `models`: from the bottom, `name`, `baseline`, and of a checkpoint its `file`, `sha256`,
  `tokenizer`, `manifest` (digest), `works_learned_from`, `parameters`, `steps`, `code_version` and
  `window` (events).
- `likelihood` (`likelihood`): `models`, each with `bits_per_note`, `by_field`, `by_kind`,
  `by_role`, `by_position` (bars), `by_genre` and `new` (with copies of earlier bars, or of
  earlier bars of a track, taken out), all in bits a note; `copied`: shares of notes taken out, 0 to
  1; `notes`, `works`; `gauge`: bits a note of works `held_out` and of `train`, and the `gap`
  between them. `against`: what each model costs `more` than the one below on the same works, bits
  a note.
- `statistics` (`parts.statistics`): by model and statistic (`features`) its `unit`; the means of
  `generated`, `reference` (held out) and `train`; their `difference`; `apart` (generated from
  reference) and `real` (train from reference): `overlap_area` (0 to 1), `divergence` (nats) and
  `distance` (in the unit, or 0 to 1) with what it is by `chance` and whether it `differs`; of
  distributions `values` and their shares (`histogram`). `ranges`: MIDI pitches by instrument.
- `nearest_neighbour` (`parts.nearest_neighbour`): by model and aspect the share told apart,
  0.5 for no difference, with the `null` that two sets of works give.
- `structure` (`parts.structure`): by model `indicators`, 0 to 1, and `by_lag`, the likeness of
  bars 1 to 32 apart, 0 to 1; `examples`: self-similarity matrices.
- `diversity` (`parts.diversity`): by model `spread` (distance, 0 to 1) and `distinct` (share of
  different n-grams), each with the `ratio` to works.
- `frechet` (`parts.frechet`), where it was asked for: by model the distances, no unit.
- `control` (`control`): by checkpoint and score the share, 0 to 1, where it was `asked` and
  `not_asked`, of `works`, and met by the `receipt`; `obeyed`: asked less not asked; `guaranteed`;
  `diversity`: distances, 0 to 1.
- `infilling` (`infilling`): by checkpoint `bits` a note `infilled` and read `left_to_right`, and
  the `gain`; `seams`: `leap` (semitones), `edge` and `ensemble` (0 to 1), `notes` (a number).
- `accompaniment` (`parts.accompaniment`): by checkpoint `measures` of one part of each of so many
  `works`, with their `roles`: `written` by the model, `arranged` by rule, and the `original`; and
  how much `nearer` to this the model is than the arranger. None where no work has chords and roles.
- `originality` (`originality`): by checkpoint what the `house` borrows from itself and what
  `outputs` do: longest `runs` in common (intervals) and their `mean`, the 95 % `line`, the share
  `above` it and how much `more_above` it than the house, the `nearest` works; `extraction`: shares
  of notes that come `back` after a prompt, 0 to 1; `missing`: works learned from that are not here
  to compare with.
- `headlines` (`headlines`): by figure its `models`, which way is `better`, and the `ladder`: each
  of the `steps` from one model to the next, pairs that are `turned` (the upper one is worse), and
  whether the `order` is as expected.

`artists.json` says of models of several artists how well these are told apart (`artists`), in
place of a report: `artists`, each with `works`, `bits_per_note` by model, how much `more` each
other model costs, and `works_told`; `pieces_told` beside `chance`, `by_model`, and `works_near`.
"""
