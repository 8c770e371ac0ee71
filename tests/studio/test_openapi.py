"""Each request of the interface is asked by a test, and none is forgotten here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from desks import Asker

TESTED = {
    "DELETE /jobs/{job_id}": "test_a_waiting_job_is_taken_out_and_a_running_one_stopped",
    "GET /chords": "test_chords_are_read_while_they_are_typed",
    "GET /complaints": "test_a_complaint_is_entered_and_answered",
    "GET /composers/{person}/account":
        "test_the_account_says_what_became_of_a_composers_works_and_what_is_new",
    "GET /composers/{person}/nearest":
        "test_the_account_says_what_became_of_a_composers_works_and_what_is_new",
    "GET /composers/{person}/works": "test_a_rejected_work_tells_its_composer_why",
    "GET /experiments": "test_the_words_and_experiments_that_pages_offer",
    "GET /house": "test_a_wrong_passphrase_opens_nothing",
    "GET /inbox": "test_a_file_goes_from_its_composer_to_the_house",
    "GET /inbox/compared": "test_a_waiting_work_is_compared_once_until_the_house_changes",
    "GET /inbox/{work}/score": "test_a_file_goes_from_its_composer_to_the_house",
    "GET /jobs": "test_a_melody_gets_chords",
    "GET /jobs/{job_id}": "test_a_melody_gets_chords",
    "GET /jobs/{job_id}/events": "events_of",
    "GET /outputs/{sha256}": "test_a_sale_is_entered_listed_and_told_to_its_composer",
    "GET /audit": "test_when_the_house_was_audited_last_is_said_to_everybody",
    "GET /papers": "test_papers_are_listed_by_their_digests",
    "GET /papers/{sha256}": "test_a_paper_is_entered_once_and_taken_away_as_it_was",
    "GET /readiness": "test_the_page_is_there_before_the_model_and_what_is_asked_waits_for_it",
    "GET /models": "test_models_are_listed_and_taken_out_of_use",
    "GET /pieces": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /pieces/{name}": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /pieces/{name}/credentials": "test_a_pieces_credentials_are_taken_away_beside_it",
    "GET /pieces/{name}/midi": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /pieces/{name}/musicxml": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /pieces/{name}/pages": "test_a_piece_is_on_paper_and_part_by_part",
    "GET /pieces/{name}/pages/{page}": "test_a_piece_is_on_paper_and_part_by_part",
    "GET /pieces/{name}/receipt": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /pieces/{name}/stems": "test_a_piece_is_on_paper_and_part_by_part",
    "GET /pieces/{name}/wav": "test_music_comes_bar_by_bar_and_then_as_a_piece",
    "GET /proofs/{act}": "test_a_works_history_is_told_and_each_act_proved",
    "GET /runs": "test_a_run_that_does_not_begin_says_why",
    "GET /runs/{name}/{when}": "test_names_and_experiments_are_held_against_what_there_is",
    "GET /runs/{name}/{when}/pieces/{number}/{step}/roll":
        "test_curves_and_pieces_of_a_run_are_seen_and_heard_while_it_goes_on",
    "GET /runs/{name}/{when}/pieces/{number}/{step}/sound":
        "test_curves_and_pieces_of_a_run_are_seen_and_heard_while_it_goes_on",
    "GET /sales": "test_a_sale_is_entered_listed_and_told_to_its_composer",
    "GET /witnesses": "test_a_works_history_is_told_and_each_act_proved",
    "GET /words": "test_the_words_and_experiments_that_pages_offer",
    "GET /works": "test_works_are_found_by_what_they_are_a_page_at_a_time",
    "GET /works/{work}": "test_one_work_is_told_heard_and_taken_as_a_file",
    "GET /works/{work}/acts": "test_a_works_history_is_told_and_each_act_proved",
    "GET /works/{work}/midi": "test_one_work_is_told_heard_and_taken_as_a_file",
    "GET /works/{work}/score": "test_bars_of_a_work_add_up_to_its_sound",
    "POST /accompany": "test_a_piece_is_rewritten_continued_and_accompanied",
    "POST /approvals":
        "test_what_a_composer_wants_to_be_asked_about_is_listed_until_they_approve_it",
    "POST /audio": "test_bars_of_a_work_add_up_to_its_sound",
    "POST /audit": "test_a_file_goes_from_its_composer_to_the_house",
    "POST /check": "test_a_file_goes_from_its_composer_to_the_house",
    "POST /check/many": "test_many_files_are_checked_and_signed_in_one_go",
    "POST /complaints": "test_a_complaint_is_entered_and_answered",
    "POST /complaints/{act}/answer": "test_a_complaint_is_entered_and_answered",
    "POST /continue": "test_a_piece_is_rewritten_continued_and_accompanied",
    "POST /contribute": "test_a_file_goes_from_its_composer_to_the_house",
    "POST /contribute/many": "test_many_files_are_checked_and_signed_in_one_go",
    "POST /generate": "test_a_waiting_job_is_taken_out_and_a_running_one_stopped",
    "POST /harmonise": "test_a_melody_gets_chords",
    "POST /inbox/{work}/accept": "test_a_file_goes_from_its_composer_to_the_house",
    "POST /inbox/{work}/reject": "test_a_rejected_work_tells_its_composer_why",
    "POST /infill": "test_a_file_that_was_sent_is_gone_on_from",
    "POST /keys/lock": "test_nothing_is_signed_while_the_key_is_locked",
    "POST /keys/unlock": "unlock",
    "POST /models/{run}/paper":
        "test_papers_about_a_model_are_written_as_the_command_writes_them",
    "POST /papers": "test_a_paper_is_entered_once_and_taken_away_as_it_was",
    "POST /models/{run}/retire": "test_models_are_listed_and_taken_out_of_use",
    "POST /readiness": "test_a_model_that_cannot_be_read_says_so_and_is_looked_for_again",
    "POST /runs": "test_a_run_that_does_not_begin_says_why",
    "POST /runs/{name}/stop": "test_a_run_that_does_not_begin_says_why",
    "POST /sales": "test_a_sale_is_entered_listed_and_told_to_its_composer",
    "POST /score": "test_a_given_file_is_read_as_a_score",
    "POST /vary": "test_a_piece_is_rewritten_continued_and_accompanied",
    "POST /works/{work}/consent": "test_consent_is_changed_and_a_work_withdrawn",
    "POST /works/{work}/terms": "test_terms_are_said_and_take_the_place_of_earlier_ones",
    "POST /works/{work}/withdraw": "test_consent_is_changed_and_a_work_withdrawn",
}  # fmt: skip
"""Request → the test, or what tests call, that asks it."""


@pytest.fixture(scope="module")
def bodies() -> dict[str, str]:
    """The text of every function of these tests, by its name."""
    found = {}
    for path in [*Path(__file__).parent.glob("*.py"), Path(__file__).parents[1] / "desks.py"]:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                found[node.name] = ast.get_source_segment(text, node) or ""
    return found


def test_every_request_has_a_test(asker: Asker) -> None:
    paths = asker.client.get("/api/v1/openapi.json").json()["paths"]
    known = {
        f"{v.upper()} {p.removeprefix('/api/v1')}" for p, verbs in paths.items() for v in verbs
    }
    assert known - TESTED.keys() == set(), "asked by no test"
    assert TESTED.keys() - known == set(), "there is no such request"


@pytest.mark.parametrize("request_", TESTED)
def test_it_asks_what_is_said_of_it(request_: str, bodies: dict[str, str]) -> None:
    body = bodies[TESTED[request_]]
    fixed = [part for part in request_.split(" ")[1].split("/") if part and "{" not in part]
    for part in fixed:
        assert part in body, f"{TESTED[request_]} asks no {part}"
