r"""The house: its people and keys, its works, and the records of what models are made of.

\b
    python scripts/house.py init --house DIR --name NAME    start a house
    python scripts/house.py key ana                         make your key, print its public half
    python scripts/house.py enroll ana --role composer      take a person into the house
    python scripts/house.py accept                          listen, countersign, enter works
    python scripts/house.py audit                           judge every file; 2 if any is refused

Exit codes: 0 done, 1 a bug of ours, 2 refused or misused. Every command works by program too:
--json prints one object, --yes asks nothing, HOUSE_PASSPHRASE holds the passphrase, HOUSE names
the house's folder and HOUSE_KEYS the folder of key files.
"""

from __future__ import annotations

import importlib

import click

from gen.cli.careful import CarefulGroup
from gen.errors import shortened

COMMANDS = {
    "init": ("start", "Start a house: root key, first roster, register and pin."),
    "key": ("keys", "Make a key of your own and print its public half."),
    "passphrase": ("keys", "Give a key of your own another passphrase."),
    "enroll": ("people", "Take a person into the house."),
    "erase": ("people", "Erase a person's name, which lies beside the log."),
    "rotate": ("people", "Replace a person's key or the root keys, or renew the roster."),
    "revoke": ("people", "End a person's keys: departed, or compromised."),
    "cosign": ("people", "Add your root signature to a waiting roster change."),
    "assert-model": ("people", "Enter a model from before the log held runs, on the root's word."),
    "seal": ("people", "Close the house for ever: nothing can be entered any more."),
    "accept": ("works", "Countersign waiting works and enter them in the register."),
    "reject": ("works", "Turn a waiting work down, with a reason."),
    "renew": ("works", "Sign works anew whose keys were compromised."),
    "withdraw": ("works", "Withdraw works and list what used them."),
    "consent": ("works", "Show or change what works may be used for."),
    "terms": ("grants", "Show or say terms: uses, share, fee, approval, one version."),
    "approve": ("grants", "Approve a use that your terms ask to be asked about first."),
    "may": ("grants", "Say whether terms grant a use of a model or a piece."),
    "impact": ("aftermath", "List what works have gone into, and how to retire or retrain it."),
    "retire": ("aftermath", "Retire models: nothing is written with them any more."),
    "mine": ("accounts", "What became of my works: runs, models, pieces, money, what is new."),
    "sell": ("money", "Enter that a piece was sold, and for how much."),
    "royalties": ("money", "Divide money among composers, recomputably."),
    "drift": ("accounts", "Say whether the pieces in the log grow more alike."),
    "complain": ("accounts", "Enter a complaint, answer one, or list them."),
    "audit": ("records", "Judge every file in the house."),
    "verify": ("records", "Verify register, rosters and head, a proof, or a model."),
    "prove": ("history", "Write a proof that an act is in the register, or that it only grew."),
    "witness": ("witnesses", "Have the log's head signed by witnesses outside the house."),
    "stamp": ("stamps", "Have an authority stamp the log's head with the time (RFC 3161)."),
    "fraud": ("witnesses", "Prove that two signed heads cannot both be true, or check a proof."),
    "show": ("show", "Show the house, its people, a work, the inbox, or a composer's works."),
    "end": ("runs", "Enter the end of a run whose end could not be entered."),
    "log": ("history", "List the acts in the register."),
    "sign-model": ("models", "Sign a model's folder, for model-signing (OpenSSF)."),
    "pack": ("models", "Write a model as a hub's folder: weights, config, tokenizer, card."),
    "rebuild": ("runs", "Train a model again as the log says, and compare every bit."),
    "fingerprint": ("prints", "List hashes of the melodies in a folder, for asking a house."),
    "watermark": ("marks", "Show the house's watermark keys that are here, or make one."),
    "anchors": ("marks", "Write the certificates that validators of marks may trust."),
    "detect": ("marks", "Say whether a file is the house's: by mark, by watermark, by log."),
    "export": ("history", "Copy the records for an auditor, without the music."),
}


class LazyGroup(CarefulGroup):
    """Commands that are imported when they are called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"gen.cli.house_commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0][:80], COMMANDS, 1)
            guess = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {shortened(args[0])!r}.{guess}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, help=__doc__.replace("\\b\n", "\b\n"))
def main() -> None:
    pass
