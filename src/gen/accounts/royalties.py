"""Dividing money among the composers of works, to the hundredth, so that anybody can do it again.

Three pools, each of which is asked for:

- `works`: every work that a model in use in the period learned from, or that is behind the model
  which it began with, counts once. Its part is
  divided by its composers' shares; of each composer's part, terms may leave a percentage to the
  house.
- `nearness`: every piece of the period counts once. It is divided among the works by how many of
  its melodic shingles each holds. That is likeness, not cause: a common figure counts for whoever
  wrote it, and what a model took from a work without it being heard counts for nobody.
- `sales`: a percentage of what pieces were sold for in the period, as `sell` acts say. Each sale's
  part is divided as `works` is, among the works behind the model that wrote the piece.

Hundredths are whole: each line gets its exact part rounded down, and what is left goes, one
hundredth each, to the lines with the largest remainders; of equal ones to the first by name
(the method of Hamilton, of largest remainders).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import msgspec

from gen.accounts.period import Period
from gen.errors import HouseError
from gen.provenance.history.granted import money_of
from gen.provenance.history.register import Register
from gen.provenance.history.runs import Run
from gen.provenance.records.sales import SaleAct
from gen.provenance.records.terms import WHOLE_SHARE

FORMAT = "gen royalties 1"
WORKS, NEARNESS, SALES, FEE = "works", "nearness", "sales", "fee"
HOUSE = "(house)"
"""Whom a line names whose money stays with the house; no person is called so."""


@dataclass(frozen=True, slots=True, order=True)
class StatementLine:
    """One payment: from which pool, for which work, to whom, in hundredths."""

    basis: str
    work: str
    person: str
    cents: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "basis": self.basis, "cents": self.cents, "person": self.person, "work": self.work,
        }  # fmt: skip


class _Statement(msgspec.Struct):
    """What is read back of a statement."""

    format: Literal["gen royalties 1"]
    lines: list[StatementLine]
    totals: dict[str, int]


@dataclass(frozen=True, slots=True)
class Near:
    """How many melodic shingles of one piece each work holds; works that hold none are left out."""

    receipt: str
    shingles: Mapping[str, int]


def divided(cents: int, weights: Mapping[Any, Fraction]) -> dict[Any, int]:
    """An amount by weights, by largest remainders; the parts sum to it.

    Args:
        cents: the amount, 0 or more.
        weights: of each part, 0 or more, not all 0; keys can be sorted.
    """
    whole = sum(weights.values())
    exact = {key: cents * weight / whole for key, weight in weights.items()}
    parts = {key: int(part) for key, part in exact.items()}
    left = cents - sum(parts.values())
    order = sorted(exact, key=lambda key: (parts[key] - exact[key], key))
    for key in order[:left]:
        parts[key] += 1
    return parts


def runs_in_use(register: Register, period: Period) -> list[Run]:
    """Runs that had left a model by the end of a period which was not retired before it began.

    Days are what the acts say.
    """
    return [
        run
        for run in register.runs.by_index.values()
        if run.models and run.time[:10] <= period.last.isoformat()
        and not all(_retired_before(register, m.file_sha256, period) for m in run.models)
    ]  # fmt: skip


def _retired_before(register: Register, model: str, period: Period) -> bool:
    retired = register.retired(model)
    return retired is not None and retired.time[:10] < period.first.isoformat()


def composers_of(register: Register, work: str) -> list[dict[str, Any]]:
    """A work's composers, their shares, and what their terms leave them of it, in percent."""
    record = register.works[work]
    found = []
    for person, share in record.entry.composers:
        terms = money_of(register, record, person)
        kept = terms.share if terms else WHOLE_SHARE
        found.append({"id": person, "kept": kept, "share": share})
    return found


def sales_in(register: Register, period: Period) -> list[SaleAct]:
    """Sales whose day is in the period."""
    return [act for act in register.sound_sales() if period.holds(act.sale.day.isoformat())]


def statement(
    register: Register, period: Period, pool: int, near_pool: int = 0, near: Sequence[Near] = (),
    *, percent: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Who is owed what, with everything that it was worked out from.

    Args:
        register: of the house.
        period: days.
        pool: hundredths to be divided by works.
        near_pool: hundredths to be divided by nearness.
        near: of the pieces of the period.
        percent: of what pieces were sold for in the period, to be divided by sales.

    Raises:
        HouseError: nothing to divide by.
    """
    runs = runs_in_use(register, period)
    behind = {run.index: register.runs.works_behind(run) for run in runs}
    works = sorted({work for found in behind.values() for work in found})
    if pool and not works:
        raise HouseError(f"no model was in use in {period}: there is nothing to divide by")
    held = [each for each in near if each.shingles]
    if near_pool and not held:
        raise HouseError(
            f"no piece of {period} holds anything of a work: there is no nearness to divide by"
        )
    nearness = _nearness(held)
    sales = sales_in(register, period) if percent else []
    if percent and not sales:
        raise HouseError(f"no piece was sold in {period}: there are no sales to divide by")
    known = register.runs
    sources = {act.run: known.works_behind(known.by_index[act.run]) for act in sales}
    sold = _sold(sales, sources)
    sales_pool = sum(act.sale.cents for act in sales) * percent // WHOLE_SHARE
    people = {work: composers_of(register, work) for work in {*works, *nearness, *sold}}
    equal = dict.fromkeys(works, Fraction(1))
    lines = [
        *_lines(WORKS, pool, equal, people),
        *_lines(NEARNESS, near_pool, nearness, people),
        *_lines(SALES, sales_pool, sold, people),
        *_fees(register, period),
    ]
    head = register.head
    return {
        "composers": people,
        "format": FORMAT,
        "house": register.roster.house,
        "lines": [line.to_dict() for line in lines],
        "pieces": [{"receipt": n.receipt, "shingles": dict(n.shingles)} for n in held],
        "pieces_unlike_any": len(near) - len(held),
        "period": str(period),
        "pools": {NEARNESS: near_pool, SALES: sales_pool, WORKS: pool},
        "register": {"root": head.root, "size": head.size} if head else None,
        "runs": [
            {"index": run.index, "name": run.name, "works": behind[run.index]} for run in runs
        ],
        "sales": [_sale(act, sources[act.run]) for act in sales],
        "sales_percent": percent,
        "totals": totals(lines),
        "works": works,
    }


def lines_of(statement: object) -> list[StatementLine]:
    """The payments of a statement from a file, held against the totals that it gives.

    Raises:
        HouseError: it is none, or its lines do not add up to its totals.
    """
    try:
        found = msgspec.convert(statement, _Statement)
    except msgspec.ValidationError as error:
        raise HouseError(f"is no statement of royalties: {error}") from error
    if found.totals != totals(found.lines):
        raise HouseError("its lines do not add up to its totals: the statement was changed")
    return found.lines


def totals(lines: Iterable[StatementLine]) -> dict[str, int]:
    """What each is owed, the house's part among them."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.person] = found.get(line.person, 0) + line.cents
    return dict(sorted(found.items()))


def _nearness(near: Iterable[Near]) -> dict[str, Fraction]:
    """The weight of each work: its part of every piece, summed."""
    found: dict[str, Fraction] = {}
    for each in near:
        whole = sum(each.shingles.values())
        for work, count in each.shingles.items():
            found[work] = found.get(work, Fraction(0)) + Fraction(count, whole)
    return found


def _sold(sales: Iterable[SaleAct], sources: Mapping[int, Sequence[str]]) -> dict[str, Fraction]:
    """The weight of each work: its equal part of every sale, summed."""
    found: dict[str, Fraction] = {}
    for act in sales:
        works = sources[act.run]
        for work in works:
            part = Fraction(act.sale.cents, len(works))
            found[work] = found.get(work, Fraction(0)) + part
    return found


def _sale(act: SaleAct, works: Sequence[str]) -> dict[str, Any]:
    return {"act": act.index, **act.sale.to_dict(), "run": act.run, "works": works}


def _lines(
    basis: str, cents: int, works: Mapping[str, Fraction], people: Mapping[str, Any]
) -> list[StatementLine]:
    if not cents:
        return []
    weights: dict[tuple[str, str], Fraction] = {}
    for work, weight in works.items():
        for each in people[work]:
            part = weight * Fraction(each["share"], WHOLE_SHARE)
            kept = part * Fraction(each["kept"], WHOLE_SHARE)
            weights[work, each["id"]] = kept
            weights[work, HOUSE] = weights.get((work, HOUSE), Fraction(0)) + part - kept
    paid = divided(cents, weights)
    return [
        StatementLine(basis, work, who, part)
        for (work, who), part in sorted(paid.items())
        if part or who != HOUSE
    ]


def _fees(register: Register, period: Period) -> list[StatementLine]:
    """Fees for runs that began in the period, by the terms that were said before."""
    owed: dict[tuple[str, str], int] = {}
    for run in register.runs.by_index.values():
        if run.begin is None or not period.holds(run.time):
            continue
        for work in run.works:
            record = register.works[work]
            for person, _ in record.entry.composers:
                terms = money_of(register, record, person, before=run.index)
                if terms and terms.fee:
                    owed[work, person] = owed.get((work, person), 0) + terms.fee
    return [
        StatementLine(FEE, work, person, cents) for (work, person), cents in sorted(owed.items())
    ]
