"""Features drafted from AsyncAPI documents: sound, and running at once."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from choreo_bdd.asyncapi import AsyncApiError
from choreo_bdd_project.config import memory_config
from choreo_bdd_steps.drafting.features import Drafts, drafts
from choreo_bdd_steps.drafting.messages import DraftError
from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.plan.settings import configuration
from tests.steps.drafting.documents import CHOICE_2, DOCUMENTS, HEADERS_2, ORDERS_3, RATES_3, UNDRAFTABLE_3, UNFIT_3
from tests.steps.drafting.further_documents import (
    FORMATS_2,
    FURTHER,
    GATES_3,
    HOME_3,
    PARCELS_2,
    PRICES_3,
    STORY_2,
    ZOO_2,
)
from tests.support.processes import FOREIGN
from tests.support.started import python_m

_CONFIGURATION = "profiles: {memory: {bus: {type: memory, correlation: {field: correlation_id}}}}\n"
_LOADER = "from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n"


_SHAPES = Path(__file__).parent / "shapes"
_SPECS = (*(f"{name}.yaml" for name in DOCUMENTS), *(f"{name}/api.yaml" for name in FURTHER))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _drafts_of(folder: Path, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, carried: str = "") -> Drafts:
    """What is drafted where the document is the project's contract."""
    _write(folder, files)
    correlation = carried or "field: correlation_id"
    memory = f"profiles: {{memory: {{bus: {{type: memory, correlation: {{{correlation}}}}}}}}}\n"
    (folder / "choreo.yaml").write_text(f"{memory}asyncapi: api.yaml\n")
    monkeypatch.chdir(folder)
    return drafts(Path("api.yaml"), configuration(folder))


def _drafted(tmp_path: Path, document: str) -> dict[str, str]:
    path = tmp_path / "api.yaml"
    path.write_text(document)
    return {each.name: each.text for each in drafts(path, memory_config()).features}


def _project(folder: Path, *, with_contracts: bool) -> Path:
    (folder / "features" / "steps").mkdir(parents=True)
    (folder / "features" / "steps" / "choreo.py").write_text(_LOADER)
    for name, text in DOCUMENTS.items():
        (folder / f"{name}.yaml").write_text(text)
    for name, files in FURTHER.items():
        _write(folder / name, files)
    spec = f"asyncapi: [{', '.join(_SPECS)}]\n" if with_contracts else ""
    (folder / "choreo.yaml").write_text(_CONFIGURATION + spec)
    return folder


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(python_m(*command), cwd=folder, capture_output=True, text=True, timeout=200, check=False)


@pytest.mark.process
@pytest.mark.timeout(240)  # some 200 scenarios
def test_every_drafted_feature_passes_lint_and_runs_held_against_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _project(tmp_path, with_contracts=True)
    monkeypatch.chdir(folder)
    for spec in _SPECS:
        drafted = drafts(Path(spec), configuration(folder))
        assert drafted.features
        for each in drafted.features:
            path = folder / "features" / spec.replace(".yaml", "") / each.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.text.replace(" for 200ms", " for 20ms"))  # on a bus where nothing takes long
    assert lint(sorted(folder.rglob("*.feature"))) == []
    run = _run(folder, "behave", "--no-color", "--format", "progress", "features")
    assert run.returncode == 0, run.stdout


@pytest.mark.process
@pytest.mark.timeout(240)  # some 70 scenarios, twice
def test_documents_in_the_shapes_of_the_specifications_examples_are_drafted_for_both_frameworks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(_SHAPES, tmp_path, dirs_exist_ok=True)
    specs = sorted(each.relative_to(tmp_path).as_posix() for each in tmp_path.glob("*/api.yaml"))
    (tmp_path / "choreo.yaml").write_text(f"{_CONFIGURATION}asyncapi: [{', '.join(specs)}]\n")
    (tmp_path / "features" / "steps").mkdir(parents=True)
    (tmp_path / "features" / "steps" / "choreo.py").write_text(_LOADER)
    monkeypatch.chdir(tmp_path)
    for spec in specs:
        drafted = drafts(Path(spec), configuration(tmp_path))
        assert drafted.features, spec
        for each in drafted.features:
            (tmp_path / "features" / f"{Path(spec).parent}_{each.name}").write_text(each.text)
    assert lint(sorted(tmp_path.rglob("*.feature"))) == []
    for run in (
        _run(tmp_path, "behave", "--no-color", "--format", "progress", "features"),
        _run(tmp_path, "pytest", "-q", *FOREIGN, "features"),
    ):
        assert run.returncode == 0, run.stdout


def test_a_request_whose_answer_goes_where_only_the_run_shows_is_given_none(tmp_path: Path) -> None:
    costing = _drafted(tmp_path, (_SHAPES / "costing30" / "api.yaml").read_text("utf-8"))
    assert 'Then I expect exactly 1 "costing-request-v1" messages where ' in costing["costing_request_v1.feature"]
    assert 'Then I expect exactly 1 "ping" messages where ' in costing["ping.feature"], (
        "its reply goes where it is asked"
    )
    assert "A valid pong is taken" in costing["ping.feature"]


def test_a_message_that_no_condition_tells_from_another_is_said_to_be_drafted_only_as_it_is_valid(
    tmp_path: Path,
) -> None:
    drafted = drafts(_SHAPES / "chat26" / "api.yaml", memory_config())
    assert [" with anything left out could be another of its messages" in each for each in drafted.left_out] == [True]


def test_each_required_field_and_each_list_of_values_has_its_scenario(tmp_path: Path) -> None:
    text = _drafted(tmp_path, RATES_3)["rates_pair.feature"]
    for name in ("rate", "valid", "day"):
        assert f"Scenario: A rate without {name} is not taken" in text
    assert "Scenario: A rate with a stranger as scale is not taken" in text
    assert '"scale": 101' in text
    assert '"rates.eurusd"' in text


def test_a_field_whose_name_is_no_word_has_its_scenario_too(tmp_path: Path) -> None:
    shutil.copytree(_SHAPES / "words26", tmp_path / "words")
    [feature] = drafts(tmp_path / "words" / "api.yaml", memory_config()).features
    for name in ("größe", "a|b", "c d", "e.f", "g[0]", "h<i>"):
        assert f'Scenario: A message without "{name}" is not taken' in feature.text


def test_fields_inside_lists_are_spoilt_too(tmp_path: Path) -> None:
    text = _drafted(tmp_path, ORDERS_3)["shop_orders_placed.feature"]
    assert "without lines[0].sku" in text
    assert '"A-17"' in text, "the document's own example"
    assert 'with "shop.orders.confirmed":' in text, "the channel that the application sends on"


def test_what_could_be_another_message_of_the_channel_is_not_drafted(tmp_path: Path) -> None:
    text = _drafted(tmp_path, CHOICE_2)["accounts_changed.feature"]
    assert "Scenario: A valid Opened is taken" in text
    assert "Scenario: A valid Closed is taken" in text
    assert "Scenario: A Closed with a stranger as reason is not taken" in text


def test_what_cannot_be_drafted_is_said(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(DOCUMENTS["impossible"])
    drafted = drafts(path, memory_config())
    assert [each.name for each in drafted.features] == ["anything_goes.feature"]
    [left_out] = drafted.left_out
    assert left_out.startswith("api.yaml#/channels/none/messages/none: no valid payload was found")


def test_what_no_example_or_step_can_be_made_of_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(UNDRAFTABLE_3)
    drafted = drafts(path, memory_config())
    assert drafted.features == ()
    told = "\n".join(drafted.left_out)
    assert "endless: no valid payload was found" in told
    assert "wide: no valid payload was found" in told
    assert """'a "quoted" topic': no step can name this topic""" in told


def test_what_no_transport_could_carry_under_its_contract_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unfit.yaml").write_text(UNFIT_3)
    (tmp_path / "choreo.yaml").write_text(f"{_CONFIGURATION}asyncapi: unfit.yaml\n")
    monkeypatch.chdir(tmp_path)
    drafted = drafts(Path("unfit.yaml"), configuration(tmp_path))
    assert drafted.features == ()
    closed, headed = drafted.left_out
    assert "lets no field 'correlation_id' in" in closed
    assert "needs headers that no text can be" in headed


def test_headers_travel_with_the_message(tmp_path: Path) -> None:
    text = _drafted(tmp_path, HEADERS_2)["mail_send.feature"]
    assert '"@headers": {\n          "priority": 1\n' in text


def test_a_message_with_headers_is_spoilt_past_the_contract_that_would_keep_it_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned, late = _drafts_of(tmp_path, PARCELS_2, monkeypatch).features
    for text, name in ((scanned.text, "parcel"), (scanned.text, "depot"), (scanned.text, "weight"), (late.text, "by")):
        assert f" without {name} is not taken" in text
    assert "parcelScanned with a stranger as kind is not taken" in scanned.text
    assert scanned.text.count('"parcels.berlin.scanned" as an envelope:') == 5
    assert re.search(r'headers: {.*"x-tenant": "blue".*}\n +raw: \|\n', scanned.text)
    assert 'I publish "parcels.berlin.scanned"' in scanned.text, "a value that the document lists for the parameter"


def test_a_request_is_answered_where_its_operation_says(tmp_path: Path) -> None:
    text = _drafted(tmp_path, PRICES_3["api.yaml"])["prices_ask.feature"]
    assert 'with "prices.answer":' in text
    assert "prices.audit" not in text, "the first channel that the application sends on"


@pytest.mark.parametrize("name", ["correlationId", "CORRELATIONID"])
def test_the_header_in_which_the_scenarios_id_travels_is_the_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drafted = _drafts_of(tmp_path, PRICES_3, monkeypatch, f"header: {name}")
    [text] = [each.text for each in drafted.features if each.name == "prices_ask.feature"]
    assert '"replyTo": "replyTo"' in text
    assert "correlationId" not in text


def test_a_header_that_no_scenarios_id_can_be_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafted = _drafts_of(tmp_path, PARCELS_2, monkeypatch, "header: x-parcel")
    assert drafted.features == ()
    assert "lets no scenario's id be the header 'x-parcel'" in drafted.left_out[0]


def test_what_one_of_several_schemas_requires_is_spoilt_too(tmp_path: Path) -> None:
    text = _drafted(tmp_path, ZOO_2["api.yaml"])["zoo_arrived.feature"]
    for name in ("species", "name", "lives"):
        assert f" without {name} is not taken" in text


def test_a_schema_within_itself_is_spoilt_once(tmp_path: Path) -> None:
    text = _drafted(tmp_path, STORY_2["api.yaml"])["story_told.feature"]
    assert "without chapters[0].intro is not taken" in text
    assert "next" in text
    assert "without next.title" not in text


def test_a_topic_that_only_a_pattern_can_be_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted = _drafts_of(tmp_path, GATES_3, monkeypatch)
    assert [each.name for each in drafted.features] == ["gates_gate_opened.feature", "gates_closed.feature"]
    assert ["is a pattern" in each for each in drafted.left_out] == [True, True]


def test_parameters_have_the_values_that_the_document_names(tmp_path: Path) -> None:
    text = _drafted(tmp_path, HOME_3["api.yaml"])["home_room_lamp_set.feature"]
    assert 'I publish "home/kitchen/lamp-1/set"' in text
    assert 'with "home/hall/lamp/state":' in text


def test_parameters_are_as_their_schemas_want_them(tmp_path: Path) -> None:
    text = _drafted(
        tmp_path,
        """
asyncapi: 2.6.0
channels:
  shops.{shop}.{shelf}.{state}.{name}:
    parameters:
      shop: {schema: {type: string, pattern: '^S-[0-9]{3}$'}}
      shelf: {schema: {$ref: '#/components/schemas/Shelf'}}
      state: {schema: {type: string, enum: [open, closed]}}
      name: {schema: {type: string}}
components: {schemas: {Shelf: {type: integer, minimum: 40}}}
""",
    )["shops_shop_shelf_state_name.feature"]
    assert re.search(r'I publish "shops\.S-\d{3}\.40\.open\.name"', text)


def test_payloads_in_other_languages_are_said_to_be_stood_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafted = _drafts_of(tmp_path, FORMATS_2, monkeypatch)
    told = [each.partition(":")[0].rpartition("/channels/")[2] for each in drafted.left_out]
    assert told == [f"formats~1{name}/publish/message" for name in ("proto", "raml")]
    assert "application/vnd.google.protobuf;version=3" in drafted.left_out[0]
    assert len(drafted.features) == 6


@pytest.mark.process
def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    folder = _project(tmp_path, with_contracts=False)
    mine = folder / "features" / "hello.feature"
    mine.write_text("Feature: Mine\n")
    run = _run(folder, "choreo_bdd", "draft", "alone.yaml")
    assert run.returncode == 0
    assert "is there already and stays as it is" in run.stderr
    assert mine.read_text() == "Feature: Mine\n"


@pytest.mark.parametrize("document", ["asyncapi: 3.0.0\nchannels: {}\n", "openapi: 3.1.0\n", "]"])
def test_a_document_that_is_none_is_refused(tmp_path: Path, document: str) -> None:
    with pytest.raises((DraftError, AsyncApiError), match=r"api\.yaml"):
        _drafted(tmp_path, document)


def _nested_arrays(levels: int) -> str:
    return "{type: array, minItems: 1000, items: " * levels + "{type: integer}" + "}" * levels


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("{type: string, minLength: 1000000000000}", ""),
        ("{type: array, minItems: 1000000000000, uniqueItems: true, items: {type: integer}}", ""),
        (_nested_arrays(5), ""),
        (
            "{$ref: '#/components/schemas/s0'}",
            "".join(
                f"    s{level}: {{required: {[*names]}, properties: {{"
                + ", ".join(f"{name}: {{$ref: '#/components/schemas/s{level + 1}'}}" for name in names)
                + "}}\n"
                for level, names in enumerate(["abcdefghij"] * 6)
            )
            + "    s6: {type: string}\n",
        ),
        (
            "{$ref: '#/components/schemas/s0'}",
            "".join(
                f"    s{level}: {{allOf: [&p{level} {{$ref: '#/components/schemas/s{level + 1}'}}, *p{level}]}}\n"
                for level in range(25)
            )
            + "    s25: {type: object}\n",
        ),
    ],
    ids=["text", "distinct entries", "arrays in arrays", "fields in fields", "parts of parts"],
)
def test_a_schema_that_asks_for_too_much_is_left_out(field: str, others: str, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(
        "asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\nchannels:\n  c:\n    address: orders\n    messages:\n"
        f"      m: {{payload: {{type: object, required: [f], properties: {{f: {field}}}}}}}\n"
        "operations: {o: {action: receive, channel: {$ref: '#/channels/c'}}}\n"
        + (f"components:\n  schemas:\n{others}" if others else "")
    )
    assert "no valid payload was found" in " ".join(drafts(tmp_path / "api.yaml", memory_config()).left_out)
