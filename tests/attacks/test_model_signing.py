"""A model's folder as the house signs it, and what OpenSSF's `model-signing` says of forgeries."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gen.cli.house import main
from gen.provenance.signing.model_signing import (
    SIGNATURE,
    models_key,
    pem_of,
    public_text,
    sign_folder,
    signed_digests,
)
from gen.sampling.opening.house_lines import NAME
from houses import keep_key, key_of, start_house
from mutations import record_run

stock_tool = pytest.importorskip("model_signing._cli").main
PROJECT = Path(__file__).parents[2]


def house_command(house, *words, code=0):
    arguments = [*map(str, words), "--house", str(house.folder), "--pin", str(house.pin.path)]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return json.loads(result.stdout)


def stock_words(folder, public_key, signature=None):
    signature = signature or folder / SIGNATURE
    words = ["verify", "key", folder, "--signature", signature, "--public_key", public_key]
    return list(map(str, words))


def stock_says(folder, public_key, signature=None):
    """Exit code and words of the tool as anybody installs it, within this process."""
    words = stock_words(folder, public_key, signature)
    done = CliRunner().invoke(stock_tool, words, prog_name="model_signing")
    return done.exit_code, done.output


@pytest.fixture
def house(tmp_path, own_keys):
    """A house whose roster names a key for models, with one recorded model beside it."""
    found = start_house(tmp_path / "house")
    keep_key("root")
    found.enter(1, 2)
    house_command(found, "rotate", "--models-key", "--yes", "--kdf-cost", "10")
    return found


@pytest.fixture
def signed(house, tmp_path):
    """Folder of a signed model, and the public key that the log names."""
    folder = tmp_path / "model"
    (folder / "states").mkdir(parents=True)
    record_run(house, folder, "best")
    (folder / "states" / "000010.safetensors").write_bytes(b"a state")
    (folder / "README.md").write_text("a model\n")
    told = house_command(house, "sign-model", folder)
    assert told["models"] == ["best.safetensors"]
    return folder, Path(told["public_key"])


def test_the_stock_tool_verifies_what_the_house_signed(house, signed):
    folder, public = signed
    assert stock_says(folder, public) == (0, "Verification succeeded\n")
    command = [sys.executable, "-m", "model_signing", *stock_words(folder, public)]
    assert subprocess.check_output(command, text=True) == "Verification succeeded\n"
    assert public == house.pin.path.with_name("lantern.models.pem")
    assert public.read_bytes() == pem_of(house.load().roster.models)
    assert NAME in signed_digests((folder / SIGNATURE).read_bytes(), house.load().roster.models)


def one_bit(folder):
    data = bytearray((folder / "best.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "best.safetensors").write_bytes(data)


def a_state_changed(folder):
    (folder / "states" / "000010.safetensors").write_bytes(b"another")


def a_file_more(folder):
    (folder / "states" / "more.safetensors").write_bytes(b"")


def a_file_less(folder):
    (folder / "README.md").unlink()


def a_file_renamed(folder):
    (folder / "README.md").rename(folder / "README.txt")


def other_lines_of_the_house(folder):
    (folder / NAME).write_bytes((folder / NAME).read_bytes().replace(b'"melody":', b'"melody":9'))


def a_file_swapped_for_a_link(folder):
    kept = shutil.move(folder / "README.md", folder.parent / "README.md")
    (folder / "README.md").symlink_to(kept)


def files_listed_otherwise(folder):
    bundle = json.loads((folder / SIGNATURE).read_text())
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][:-8] + "IH0KfQo="
    (folder / SIGNATURE).write_text(json.dumps(bundle))


def signed_by_another_key(folder):
    sign_folder(folder, models_key(key_of("mallory")))


def another_key_that_names_the_right_one(folder):
    hint = json.loads((folder / SIGNATURE).read_text())["verificationMaterial"]
    sign_folder(folder, models_key(key_of("mallory")))
    bundle = json.loads((folder / SIGNATURE).read_text()) | {"verificationMaterial": hint}
    (folder / SIGNATURE).write_text(json.dumps(bundle))


def no_signature_in_the_envelope(folder):
    bundle = json.loads((folder / SIGNATURE).read_text())
    bundle["dsseEnvelope"]["signatures"] = []
    (folder / SIGNATURE).write_text(json.dumps(bundle))


FORGERIES = (
    one_bit, a_state_changed, other_lines_of_the_house, a_file_more, a_file_less, a_file_renamed,
    a_file_swapped_for_a_link,
    files_listed_otherwise, signed_by_another_key, another_key_that_names_the_right_one,
    no_signature_in_the_envelope,
)  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES)
def test_the_stock_tool_refuses_a_forged_model(signed, forge):
    folder, public = signed
    forge(folder)
    code, told = stock_says(folder, public)
    assert code != 0
    assert "Verification succeeded" not in told


def test_the_stock_tool_refuses_the_signature_of_another_model(house, signed, tmp_path):
    folder, public = signed
    other = tmp_path / "other"
    other.mkdir()
    record_run(house, other, "second")
    house_command(house, "sign-model", other)
    assert stock_says(other, public)[0] == 0
    assert stock_says(folder, public, other / SIGNATURE)[0] != 0


def test_a_model_that_the_log_does_not_name_is_not_signed(house, signed):
    folder, _ = signed
    one_bit(folder)
    told = house_command(house, "sign-model", folder, code=2)
    assert "no run" in json.dumps(told) or "does not know" in json.dumps(told)


def test_nothing_is_signed_where_the_rosters_key_is_not_at_hand(house, signed, own_keys):
    folder, _ = signed
    for path in own_keys.glob("*.models.*"):
        path.unlink()
    told = house_command(house, "sign-model", folder, code=2)
    assert "not in your key folder" in told["error"]["what"]


def test_a_replaced_key_signs_no_more(house, signed):
    """The key in the log is the new one, so that what the old one signed is signed anew."""
    folder, public = signed
    before = public.read_bytes()
    house_command(house, "rotate", "--models-key", "--yes", "--kdf-cost", "10")
    house_command(house, "sign-model", folder)
    assert public.read_bytes() != before
    assert stock_says(folder, public)[0] == 0


def test_shipped_models_verify_by_the_key_beside_the_pin():
    folder, public = PROJECT / "data/house_model", PROJECT / "conf/house/starter.models.pem"
    assert stock_says(folder, public) == (0, "Verification succeeded\n")
    assert public_text(models_key(key_of("mallory"))) not in public.read_text()
