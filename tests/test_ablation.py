"""The ablation: variants at an equal budget, one table, resumable."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from gaussian_core.models.card import read_card  # noqa: E402
from gaussian_core.models.config import ModelConfig, weights_path  # noqa: E402
from gaussian_core.training.ablation import VARIANTS, Result, ablate, table  # noqa: E402
from gaussian_core.training.synthetic import page  # noqa: E402
from viewer.cli import main  # noqa: E402


@pytest.fixture
def words(tmp_path):
    (tmp_path / "set").mkdir()
    for number in range(2):
        Image.fromarray(page(number, 64)).save(tmp_path / "set" / f"{number}.png")
    text = (
        f"ablate {tmp_path / 'set'} --out {tmp_path / 'out'} --tests {tmp_path / 'set'} --scales 2"
        " --steps 2 --batch 1 --patch 16 --channels 4 --blocks 1"
    )
    return text.split()


def test_the_table_has_a_row_for_each_variant_and_trains_none_twice(words, tmp_path, capsys):
    file = tmp_path / "table.json"
    some = "no-apd,n-1,no-consistency,published"
    assert main([*words, "--only", some, "--json", str(file)]) == 0
    rows = {row["name"]: row for row in json.loads(file.read_text())}
    assert list(rows) == ["all", "no-apd", "published", "n-1", "no-consistency"]
    assert all(row["steps"] == 2 and list(row["psnr_y"]) == ["set x2"] for row in rows.values())
    assert rows["no-apd"]["drift"] < 1e-4 < rows["all"]["drift"]
    assert rows["n-1"]["parameters"] < rows["all"]["parameters"] < rows["published"]["parameters"]
    assert "no-consistency" in capsys.readouterr().out
    # One training serves both: it is drawn with and without.
    assert not (tmp_path / "out" / "no-consistency" / "checkpoint.pt").exists()
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("checkpoint.pt")}
    assert main([*words, "--only", some, "--json", str(file)]) == 0
    assert stamps == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("checkpoint.pt")}
    assert {row["name"]: row for row in json.loads(file.read_text())} == rows


def test_the_first_row_is_the_design_of_the_shipped_weights():
    shipped = read_card(weights_path()).config
    first = ModelConfig(**VARIANTS[0].changes)
    design = [f.name for f in fields(ModelConfig)]
    design = design[design.index("architecture") : design.index("trained_on")]
    assert {n: getattr(first, n) for n in design} == {n: getattr(shipped, n) for n in design}


def test_another_budget_trains_anew(words, tmp_path):
    """The rates fall towards the end: a training that has settled cannot be lengthened."""
    file = tmp_path / "table.json"
    assert main([*words, "--only", "all", "--json", str(file)]) == 0
    words[words.index("--steps") + 1] = "3"
    assert main([*words, "--only", "all", "--json", str(file)]) == 0
    longer = json.loads(file.read_text())
    assert [row["steps"] for row in longer] == [3]
    words[words.index("--out") + 1] = str(tmp_path / "fresh")
    assert main([*words, "--only", "all", "--json", str(file)]) == 0
    fresh = json.loads(file.read_text())
    assert fresh[0]["psnr_y"]["set x2"] == pytest.approx(longer[0]["psnr_y"]["set x2"], abs=0.02)


def test_the_figures_of_the_table_stand_under_their_heads():
    sets = {"Set5 x2": 30.0, "Set5 x3": 29.0}
    rows = [Result(name, "part", 4, 9, 1.0, sets, 1.0, 0.1) for name in ("all", "no-apd")]
    head, first, second = table(rows).splitlines()
    ends = [head.index(name) + len(name) for name in sets]
    for end, figure in zip(ends, ("30.00", "29.00"), strict=True):
        assert first[:end].endswith(figure) and second[:end].endswith(f"{figure} +0.00")


def test_what_is_stopped_goes_on(words, tmp_path, capsys):
    from gaussian_core.training.ablation import Budget
    from gaussian_core.training.dataset import PictureStore

    folder = tmp_path / "out"
    store = PictureStore([tmp_path / "set"], folder)
    budget = Budget(2, 1, 16, 4, 1)
    asked = [tmp_path / "set"]
    cpu = torch.device("cpu")
    polls = iter([False, True, True, True])
    stopped = ablate(VARIANTS[:2], budget, store, folder, asked, [2.0], cpu, lambda: next(polls))
    assert list(stopped) == []
    done = list(ablate(VARIANTS[:2], budget, store, folder, asked, [2.0], cpu))
    assert [row.name for row in done] == ["all", "no-ddcw"]


def test_it_stops_while_it_measures_too_and_goes_on_from_there(words, tmp_path, monkeypatch):
    from gaussian_core import builder
    from gaussian_core.training.ablation import Budget
    from gaussian_core.training.dataset import PictureStore

    folder = tmp_path / "out"
    store = PictureStore([tmp_path / "set"], folder)
    budget, cpu = Budget(2, 1, 16, 4, 1), torch.device("cpu")
    measuring, build_field = [], builder.build_field

    def noted(*arguments, **options):
        measuring.append(arguments)
        return build_field(*arguments, **options)

    monkeypatch.setattr(builder, "build_field", noted)
    given = (VARIANTS[:1], budget, store, folder, [tmp_path / "set"], [2.0], cpu)
    assert list(ablate(*given, lambda: bool(measuring))) == [] and len(measuring) == 1
    assert [row.name for row in ablate(*given)] == ["all"]


def test_it_measures_on_the_device_that_it_trained_on(words, tmp_path, monkeypatch):
    """A device has a number, and a builder is told its kind."""
    from gaussian_core import builder
    from gaussian_core.models.devices import pick_device
    from gaussian_core.training import ablation
    from gaussian_core.training.dataset import PictureStore

    folder = tmp_path / "out"
    store = PictureStore([tmp_path / "set"], folder)
    trained = ablation._Trained(weights_path(), 2, 1, 1.0)
    monkeypatch.setattr(ablation, "_train", lambda *_: trained)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    build_field, used = builder.build_field, []

    def on_the_cpu(*arguments, device, **options):
        used.append(pick_device(device))
        return build_field(*arguments, device="cpu", **options)

    monkeypatch.setattr(builder, "build_field", on_the_cpu)
    device, sets = torch.device("cuda", 0), [tmp_path / "set"]
    rows = list(ablate(VARIANTS[:1], ablation.Budget(2), store, folder, sets, [2.0], device))
    assert len(rows) == 1 and set(used) == {device}


def test_other_pictures_are_trained_on_and_measured_anew(words, tmp_path):
    """A set of the same name is not the same set: stored figures are of the files as they were."""
    place = tmp_path / "tests" / "set"
    place.mkdir(parents=True)
    Image.fromarray(page(0, 40)).save(place / "a.png")
    words[words.index("--tests") + 1] = str(place)
    file = tmp_path / "table.json"

    def measured():
        assert main([*words, "--only", "all", "--json", str(file)]) == 0
        return json.loads(file.read_text())[0]["psnr_y"]["set x2"]

    first = measured()
    Image.fromarray(page(5, 40)).save(place / "a.png")
    second = measured()
    assert second != first
    Image.fromarray(page(7, 64)).save(tmp_path / "set" / "1.png")
    third = measured()
    words[words.index("--out") + 1] = str(tmp_path / "fresh")
    assert third != second and third == pytest.approx(measured(), abs=1e-3)


def test_no_test_set_takes_the_place_of_another_of_its_name(words, tmp_path):
    places = [tmp_path / name / "HR" for name in ("one", "two")]
    for number, place in enumerate(places):
        place.mkdir(parents=True)
        Image.fromarray(page(number, 40)).save(place / "a.png")
    words[words.index("--tests") + 1 : words.index("--scales")] = map(str, places)
    file = tmp_path / "table.json"
    assert main([*words, "--only", "all", "--json", str(file)]) == 0
    assert list(json.loads(file.read_text())[0]["psnr_y"]) == ["one/HR x2", "two/HR x2"]


def test_an_unknown_variant_is_named(words, capsys):
    assert main([*words, "--only", "nothing"]) == 1
    assert "Unknown variant 'nothing'" in capsys.readouterr().err
    assert main([*words, "--only", ""]) == 1
    assert "names no variant" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--tests", "none", "There is no folder"),
        ("--tests", "set/0.png", "is a file"),
        ("--steps", "0", "--steps must be at least 1"),
        ("--out", "set/0.png", "it is a file"),
        ("--out", "set/0.png/out", "Cannot make the folder"),
    ],
)
def test_what_cannot_be_is_said_before_any_training(words, tmp_path, capsys, option, value, said):
    place = words.index(option) + 1
    words[place] = value if value.isdigit() else str(tmp_path / value)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_figures_that_are_damaged_or_of_another_version_are_measured_anew(words, tmp_path):
    file, kept = tmp_path / "table.json", tmp_path / "out" / "all" / "result.json"

    def measured():
        assert main([*words, "--only", "all", "--json", str(file)]) == 0
        return json.loads(file.read_text())[0]["psnr_y"]

    first, whole = measured(), kept.read_text()
    other = json.loads(whole)
    other["result"]["luck"] = other["result"].pop("drift")
    for text in (whole[: len(whole) // 2], "", "[]", json.dumps(other)):
        kept.write_text(text)
        assert measured() == first
        assert json.loads(kept.read_text())["result"]["psnr_y"] == first
