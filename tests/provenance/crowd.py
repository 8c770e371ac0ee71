"""Run by the crash and concurrency tests in processes of their own.

    python crowd.py crowd PIN COUNT EACH     COUNT processes contribute and accept EACH works
    python crowd.py work PIN SEED            contribute, accept, withdraw … until killed

Each finished step prints one line; what was printed must be true for ever after.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gen.provenance.admission.inbox import Contribution, submit
from gen.provenance.desk.works import accept, set_consent, withdraw
from gen.provenance.houses.house import House
from gen.provenance.records.consent import Consent
from gen.provenance.records.pin import load_pin
from houses import key_of, make_midi, tagged

# A killed process loses nothing that it had handed to the kernel: no need to wait for the disk.
os.fsync = lambda descriptor: None


def acknowledge(*words):
    os.write(1, (" ".join(words) + "\n").encode())


def open_house(pin):
    return House(load_pin(Path(pin)))


def contribute_and_accept(pin, seed):
    (result,) = submit(open_house(pin), [Contribution(tagged(make_midi(seed)))])
    if result.rule not in ("", "duplicate"):
        raise SystemExit(f"{seed}: {result}")
    if result.rule:
        return None
    acknowledge("submitted", result.work)
    done = accept(open_house(pin), None, key_of("cleo" if seed % 2 else "dana"))
    for entry in done.entered:
        acknowledge("accepted", entry.work)
    return result.work


def member(pin, number, each):
    for i in range(each):
        contribute_and_accept(pin, number * each + i)


def crowd(pin, count, each):
    children = []
    for number in range(int(count)):
        child = os.fork()
        if not child:
            try:
                member(pin, number, int(each))
            except BaseException as error:
                acknowledge("failed", repr(error))
                os._exit(1)
            os._exit(0)
        children.append(child)
    sys.exit(any(os.waitpid(child, 0)[1] for child in children))


def work(pin, seed):
    acknowledge("ready")
    for i in range(int(seed), int(seed) + 1000):
        done = contribute_and_accept(pin, i)
        if done is None:
            continue
        if i % 3 == 1:
            withdraw(open_house(pin), [done], key_of("ana"), "a wish")
            acknowledge("withdrawn", done)
        elif i % 3 == 2:
            set_consent(open_house(pin), [done], Consent.parse("evaluation"), key_of("ana"))
            acknowledge("narrowed", done)


if __name__ == "__main__":
    {"crowd": crowd, "work": work}[sys.argv[1]](*sys.argv[2:])
