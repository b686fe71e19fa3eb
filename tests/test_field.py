"""The field: validation, files, the spatial index."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from gaussian_core.errors import FieldError, OutputError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.row_layout import ROW_PADDING
from gaussian_core.viewport import Viewport
from tests.fields import random_field


def arrays(count=4):
    return (
        np.ones((count, 2), np.float32),
        np.tile(np.float32([1, 0, 1]), (count, 1)),
        np.ones((count, 3), np.float32),
    )


def test_arrays_come_back_as_given():
    means, covariances, amplitudes = arrays()
    field = GaussianField(means, covariances, amplitudes, extent=(5, 6))
    assert (len(field), field.channels, field.extent) == (4, 3, (5, 6))
    np.testing.assert_array_equal(field.means, means)
    np.testing.assert_array_equal(field.covariances, covariances)
    np.testing.assert_array_equal(field.amplitudes, amplitudes)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(which, value):
    parts = arrays()
    parts[which][2, 1] = value
    with pytest.raises(FieldError, match="NaN or infinite"):
        GaussianField(*parts, extent=(5, 6))


@pytest.mark.parametrize("covariance", [(1, 1, 1), (0, 0, 1), (-1, 0, 1), (1, 2, 1)])
def test_covariances_must_be_positive_definite(covariance):
    means, covariances, amplitudes = arrays()
    covariances[1] = covariance
    with pytest.raises(FieldError, match="1 of the field's 4 covariances"):
        GaussianField(means, covariances, amplitudes, extent=(5, 6))


@pytest.mark.parametrize(
    ("shapes", "extent", "says"),
    [
        (((4, 3), (4, 3), (4, 3)), (5, 6), "do not match"),
        (((4, 2), (3, 3), (4, 3)), (5, 6), "do not match"),
        (((4, 2), (4, 3), (4,)), (5, 6), "do not match"),
        (((4, 2), (4, 3), (4, 9)), (5, 6), "1 to 8 channels"),
        (((4, 2), (4, 3), (4, 3)), (0, 6), "extent"),
    ],
)
def test_shapes_must_match(shapes, extent, says):
    with pytest.raises(FieldError, match=says):
        GaussianField(*(np.ones(shape) for shape in shapes), extent=extent)


@pytest.mark.parametrize("extent", [(5.5, 6), (5, 6, 3), 5, None])
def test_an_extent_is_two_whole_numbers(extent):
    with pytest.raises(FieldError, match=r"extent is \(height, width\)"):
        GaussianField(*arrays(), extent=extent)


def test_metadata_that_no_file_could_hold_is_refused_before_the_work_is_done():
    with pytest.raises(FieldError, match="metadata is text"):
        GaussianField(*arrays(), extent=(5, 6), metadata={"psnr": 31.4})
    # The file's own: it would come back without them.
    for name in ("format", "height", "width"):
        with pytest.raises(FieldError, match=f"has a '{name}' of its own"):
            GaussianField(*arrays(), extent=(5, 6), metadata={name: "mine"})


@pytest.mark.parametrize(
    "correction",
    [random_field(channels=1), random_field(extent=(9, 9)), np.zeros((5, 6, 3))],
)
def test_a_correction_is_a_field_of_the_same_picture(correction):
    whole = random_field()
    with pytest.raises(FieldError, match="correction"):
        GaussianField(
            whole.means, whole.covariances, whole.amplitudes, whole.extent, correction=correction
        )


@pytest.mark.parametrize("of", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_field_can_be_copied_and_sent_to_other_processes(of):
    field = random_field(count=700, sigma=(0.05, 40.0))
    field.metadata["method"] = "kernel"
    field.drifts = np.arange(1400, dtype=np.float16).reshape(700, 2)
    field.correction = random_field(count=50, seed=3)
    field.even_alpha = random_field(count=50, seed=4)
    field.take_cell_order()
    other = of(field)
    view = Viewport((0, 0), 1.0, (30, 20))
    np.testing.assert_array_equal(rasterize(other, view), rasterize(field, view))
    np.testing.assert_array_equal(other.drifts, field.drifts)
    assert (other.metadata, other.extent) == (field.metadata, field.extent)
    assert len(other.even_alpha) == len(other.correction) == 50
    # Not the whole of the rows besides the arrays that are parts of them.
    assert len(pickle.dumps(field)) < 1.1 * (field.means.nbytes * 4 + field.drifts.nbytes) + 4096


def test_a_field_says_what_it_is():
    field = random_field(count=1500)
    field.metadata["method"] = "kernel"
    assert repr(field) == (
        "<GaussianField of 1,500 Gaussians, 3 channels, extent (20, 30), 'kernel'>"
    )


def test_a_field_is_not_written_in_the_place_of_a_picture(tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"a picture")
    for name in (photo, str(photo)):
        with pytest.raises(
            OutputError, match=r"photo\.png is the name of a picture.* \.safetensors"
        ):
            random_field().save(name)
    assert photo.read_bytes() == b"a picture"


def test_the_same_field_is_the_same_file(tmp_path):
    """Nine entries of metadata, by chance in the same order once in 362,880 times."""
    field = random_field(count=5)
    field.metadata |= {f"entry {i}": 'A "ü" \\ \n \x1f \x7f' for i in range(6)}
    for name in ("a", "b"):
        field.save(tmp_path / f"{name}.safetensors")
    one, other = (tmp_path / f"{name}.safetensors" for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    assert GaussianField.open(one).metadata == field.metadata


def test_a_field_made_by_weights_whose_name_is_no_text_can_be_saved(tmp_path):
    field = random_field(count=5)
    field.metadata["weights"] = "caf\udce9"  # Latin-1 on a disk of UTF-8
    field.save(tmp_path / "a.safetensors")
    assert GaussianField.open(tmp_path / "a.safetensors").metadata == {"weights": r"caf\udce9"}


def test_a_file_round_trip_keeps_everything(tmp_path):
    field = random_field(count=50, channels=4)
    field.metadata["method"] = "kernel"
    path = tmp_path / "a.safetensors"
    field.save(path)
    again = GaussianField.open(path)
    np.testing.assert_array_equal(again.means, field.means)
    np.testing.assert_array_equal(again.covariances, field.covariances)
    np.testing.assert_array_equal(again.amplitudes, field.amplitudes)
    assert again.extent == field.extent
    assert again.metadata == {"method": "kernel"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_field_file_cut_anywhere_is_one_clear_message(tmp_path):
    path = tmp_path / "a.safetensors"
    random_field(count=40).save(path)
    whole = path.read_bytes()
    for length in {*range(0, len(whole), max(1, len(whole) // 40)), len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(FieldError, match=r"a\.safetensors"):
            GaussianField.open(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(FieldError, match="not a Gaussian field"):
        GaussianField.open(path)
    with pytest.raises(FieldError, match="folder"):
        GaussianField.open(tmp_path)
    with pytest.raises(FieldError, match="no file"):
        GaussianField.open(tmp_path / "missing.safetensors")


def test_a_field_file_with_nan_is_refused(tmp_path):
    means, covariances, amplitudes = arrays()
    amplitudes[0, 0] = np.nan
    path = tmp_path / "nan.safetensors"
    header = {"format": "gaussian-field-1", "height": "5", "width": "6"}
    tensors = {"means": means, "covariances": covariances, "amplitudes": amplitudes}
    save_file(tensors, path, metadata=header)
    with pytest.raises(FieldError, match=r"nan.safetensors holds no usable field.*NaN"):
        GaussianField.open(path)


def test_saving_where_one_cannot_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="Cannot write"):
        random_field().save(tmp_path / "no such folder" / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sigma", [(0.2, 0.9), (0.05, 40.0)])
@pytest.mark.parametrize(
    "rect", [(3, 4, 9.5, 12.25), (-50, -50, 80, 80), (10, 10, 10, 10), (200, 0, 300, 5)]
)
def test_in_rect_finds_exactly_the_centres_inside(sigma, rect):
    field = random_field(count=700, sigma=sigma)
    x, y = field.means.T
    inside = (x >= rect[0]) & (x < rect[2]) & (y >= rect[1]) & (y < rect[3])
    np.testing.assert_array_equal(np.sort(field.in_rect(rect)), np.flatnonzero(inside))


def test_the_index_holds_every_gaussian_once_in_its_cell():
    field = random_field(count=900, sigma=(0.05, 40.0), channels=2)
    index = field.index
    assert sorted(index.order) == list(range(900))
    np.testing.assert_array_equal(index.rows[:2, :900].T, field.means[index.order])
    np.testing.assert_array_equal(index.rows[5:, :900].T, field.amplitudes[index.order])
    for level in index.levels:
        for cell in range(level.columns * level.rows):
            for k in range(level.starts[cell], level.starts[cell + 1]):
                column, row = cell % level.columns, cell // level.columns
                assert np.floor(index.rows[0, k] / level.cell) == column + level.first[0]
                assert np.floor(index.rows[1, k] / level.cell) == row + level.first[1]
                assert index.rows[2, k] <= level.variance[0] + 1e-6


def test_a_few_gaussians_far_apart_do_not_ask_for_a_huge_grid():
    field = GaussianField([[0, 0], [1e9, -1e9]], [[1, 0, 1]] * 2, [[1.0]] * 2, extent=(10, 10))
    assert all(level.starts.size < 5000 for level in field.index.levels)
    np.testing.assert_array_equal(field.in_rect((-1, -1, 1, 1)), [0])


def test_an_empty_field_has_an_empty_index():
    field = GaussianField(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros((0, 3)), extent=(4, 4))
    assert field.in_rect((0, 0, 4, 4)).size == 0


def test_rows_in_cell_order_are_not_copied():
    x, y = np.meshgrid(np.arange(6) + 0.5, np.arange(4) + 0.5)
    rows = np.zeros((6, 24 + ROW_PADDING), np.float32)
    rows[0, :24], rows[1, :24], rows[2, :24], rows[4, :24] = x.ravel(), y.ravel(), 0.2, 0.2
    field = GaussianField.from_rows(rows, (4, 6))
    assert field.index.rows is rows
    assert field.index.order is None
    assert np.shares_memory(field.means, rows)
    assert field.nbytes < 2 * rows.nbytes


def test_a_field_that_takes_the_cell_order_shows_the_same_and_holds_it_once():
    field = random_field(count=700, sigma=(0.05, 40.0))
    field.correction = random_field(count=50, seed=3)
    before = random_field(count=700, sigma=(0.05, 40.0))
    rect = (3.0, 4.0, 20.0, 17.0)
    expected = before.means[before.in_rect(rect)]
    field.take_cell_order()
    assert field.index.order is None and field.correction.index.order is None
    found = field.means[field.in_rect(rect)]
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(expected, axis=0))
    assert np.shares_memory(field.means, field.index.rows)
    assert field.nbytes < before.index.rows.nbytes + before.nbytes
    view = Viewport((0, 0), 2.0, (40, 30))
    np.testing.assert_allclose(
        rasterize(field, view, backend="cpu"),
        rasterize(
            GaussianField(
                before.means,
                before.covariances,
                before.amplitudes,
                before.extent,
                correction=field.correction,
            ),
            view,
            backend="cpu",
        ),
        atol=1e-6,
    )
