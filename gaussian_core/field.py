"""The continuous picture: a sum of 2D Gaussians over the source plane."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gaussian_core.errors import FieldError, OutputError
from gaussian_core.picture_folders import SUFFIXES
from gaussian_core.presence import unreachable
from gaussian_core.row_layout import ROW_PADDING, SPAN
from gaussian_core.writing.tensor_writer import write_tensors

if TYPE_CHECKING:
    from gaussian_core.spatial_index import SpatialIndex

FIELD_SUFFIX = ".safetensors"
FORMAT = "gaussian-field-1"
MAX_CHANNELS = 8
ARRAYS = ("means", "covariances", "amplitudes")
COMPANIONS = ("correction", "even_alpha")
OWN_ENTRIES = ("format", "height", "width")
"""Of a field file's metadata: they say what it is, and are no field's own."""


class GaussianField:
    """I(p) = sum_i a_i exp(-1/2 (p - mu_i)^T Sigma_i^-1 (p - mu_i)), over a picture of `extent`.

    means: (N, 2) as (x, y), source pixels. covariances: (N, 3) as (sxx, sxy, syy), source pixels squared, positive
    definite. amplitudes: (N, C), the value that a Gaussian adds at its own centre; 1 <= C <= 8. Three channels are
    sRGB-encoded RGB, four are premultiplied RGB and alpha. extent: (height, width) of the picture, source pixels.
    metadata: text that travels with the field file (method, source name ...), under any names but format, height and
    width.

    correction: what the field lacks of the file at 100 %, a field of its own, of as many channels over the same extent,
    or None: rasterizers add it in full up to scale 1 and fade it out towards scale 1.5 (see correction.weight). It
    holds what a file has and the scene behind it has not, such as the steps of pixels.

    even_alpha: of a picture with transparent parts the Gaussians that hold its alpha where that is the same all around,
    a field of its own like the correction, or None: rasterizers add it at every scale.

    drifts: (N, 2) float16 or None, how far each mean is from where its Gaussian began (its cell's place, for a learned
    field), source pixels. For looking at: nothing that is drawn depends on it.

    Arrays are kept as float32, without a copy where they are that, and must not be changed afterwards; means of more
    precision, of a picture wider or higher than SPAN, as float64. A field can be copied and pickled: the arrays go
    along, the index is made anew. Raises FieldError when shapes do not match, a value is not finite or a covariance is
    not positive definite.
    """

    correction: GaussianField | None
    even_alpha: GaussianField | None
    drifts: NDArray[np.float16] | None
    origin: tuple[int, int]
    """(x, y) that `offsets` count from, source pixels: (0, 0), but for what a builder made far from there."""
    offsets: NDArray[np.float32] | NDArray[np.float64]
    """(N, 2): the means from `origin` on, as they are held."""
    device_rows: Any = None
    """resident_field.DeviceRows: the same Gaussians on the device that they were made on, while they are there."""

    def __init__(
        self,
        means: ArrayLike,
        covariances: ArrayLike,
        amplitudes: ArrayLike,
        extent: tuple[int, int],
        metadata: Mapping[str, str] | None = None,
        correction: GaussianField | None = None,
        drifts: ArrayLike | None = None,
        even_alpha: GaussianField | None = None,
    ) -> None:
        self._set(
            _places(means),
            np.asarray(covariances, np.float32),
            np.asarray(amplitudes, np.float32),
            extent,
            metadata,
        )
        self.correction, self.even_alpha = correction, even_alpha
        self.drifts = None if drifts is None else np.asarray(drifts, np.float16)
        self._validate()

    def _set(
        self,
        offsets: NDArray[np.float32] | NDArray[np.float64],
        covariances: NDArray[np.float32],
        amplitudes: NDArray[np.float32],
        extent: tuple[int, int],
        metadata: Mapping[str, str] | None,
        origin: tuple[int, int] = (0, 0),
    ) -> None:
        self.offsets, self.covariances, self.amplitudes = offsets, covariances, amplitudes
        self.origin = origin
        self.extent = _whole_extent(extent)
        self.metadata = dict(metadata or {})
        self.correction = self.even_alpha = None
        self.drifts = None
        self._rows: NDArray[np.float32] | None = None
        self._index: SpatialIndex | None = None
        self._index_lock = threading.Lock()

    @classmethod
    def from_rows(
        cls,
        rows: NDArray[np.float32],
        extent: tuple[int, int],
        metadata: Mapping[str, str] | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> GaussianField:
        """A field over the index's own layout, for builders: no copy and no validation.

        rows: (5 + C, N + ROW_PADDING) contiguous float32: x, y, sxx, sxy, syy, amplitudes; the padding is ignored.
        Where the Gaussians already stand in cell order the index uses these rows as they are, and `offsets`,
        `covariances` and `amplitudes` are views of them: a third of the memory. origin: what x and y count from.
        """
        count = rows.shape[1] - ROW_PADDING
        field = cls.__new__(cls)
        parts = rows[:2, :count].T, rows[2:5, :count].T, rows[5:, :count].T
        field._set(*parts, extent, metadata, origin)
        field._rows = rows
        return field

    def _validate(self) -> None:
        m, s, a = self.offsets, self.covariances, self.amplitudes
        if (
            m.ndim != 2
            or m.shape[1] != 2
            or s.shape != (len(m), 3)
            or a.ndim != 2
            or len(a) != len(m)
        ):
            raise FieldError(
                "The field's arrays do not match: means (N, 2), covariances (N, 3) and amplitudes (N, C) are needed, "
                f"got {m.shape}, {s.shape}, {a.shape}."
            )
        if not 1 <= a.shape[1] <= MAX_CHANNELS:
            raise FieldError(f"A field has 1 to {MAX_CHANNELS} channels, got {a.shape[1]}.")
        if self.drifts is not None and self.drifts.shape != m.shape:
            raise FieldError(
                f"The field's drifts do not match its means: {self.drifts.shape}, {m.shape}."
            )
        if min(self.extent) < 1:
            raise FieldError(f"A field's extent must be at least 1x1 pixels, got {self.extent}.")
        for name, other in self.companions:
            if not isinstance(other, GaussianField):
                raise FieldError(f"A field's {name} is a field, not a {type(other).__name__}.")
            if (other.channels, other.extent) != (a.shape[1], self.extent):
                raise FieldError(
                    f"The field's {name} has {other.channels} channels over {other.extent}, the field {a.shape[1]} over "
                    f"{self.extent}."
                )
        for key, value in self.metadata.items():
            if not (isinstance(key, str) and isinstance(value, str)):
                raise FieldError(
                    f"A field's metadata is text, which {key!r}: {value!r} is not: use str() or json.dumps()."
                )
        if taken := [key for key in OWN_ENTRIES if key in self.metadata]:
            raise FieldError(
                f"A field file has a {taken[0]!r} of its own: name that of the metadata otherwise."
            )
        for name, array in (("means", m), ("covariances", s), ("amplitudes", a)):
            # A sum is finite only if every term is, and takes a fraction of the memory of a mask.
            with np.errstate(invalid="ignore", over="ignore"):
                finite = np.isfinite(array.astype(np.float32, copy=False).sum(dtype=np.float64))
            if not finite:
                raise FieldError(f"The field's {name} hold NaN or infinite values.")
        xx, xy, yy = s.T.astype(np.float64)
        bad = int(np.count_nonzero(~((xx > 0) & (yy > 0) & (xx * yy - xy * xy > 0))))
        if bad:
            raise FieldError(
                f"{bad} of the field's {len(s)} covariances are not positive definite."
            )

    def __len__(self) -> int:
        return len(self.offsets)

    def __repr__(self) -> str:
        method = f", {self.metadata['method']!r}" if "method" in self.metadata else ""
        return f"<GaussianField of {len(self):,} Gaussians, {self.channels} channels, extent {self.extent}{method}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """For copy and pickle: locks, the index and what is on a device stay behind."""
        arrays = (np.ascontiguousarray(getattr(self, name)) for name in ARRAYS)
        rest = self.metadata, self.correction, self.drifts, self.even_alpha
        return GaussianField, (*arrays, self.extent, *rest)

    @property
    def companions(self) -> list[tuple[str, GaussianField]]:
        """The fields that are drawn with this one, by their names."""
        fields = ((name, getattr(self, name)) for name in COMPANIONS)
        return [(name, field) for name, field in fields if field is not None]

    @property
    def means(self) -> NDArray[np.float32] | NDArray[np.float64]:
        """(N, 2) as (x, y), source pixels. Where the field has an origin a new array at every call: `means_of` is for
        less than all."""
        offsets = self.offsets  # first: what is built again has an origin of its own
        return offsets if self.origin == (0, 0) else offsets + np.array(self.origin, float)

    def means_of(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, 2) of some Gaussians."""
        found: NDArray[np.float64] = np.take(self.offsets, numbers, axis=0).astype(np.float64)
        return found + self.origin

    @property
    def channels(self) -> int:
        """Number of channels C."""
        return int(self.amplitudes.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes held, the index included once it is built."""
        own = self.offsets.nbytes + self.covariances.nbytes + self.amplitudes.nbytes
        own += sum(field.nbytes for _, field in self.companions)
        own += 0 if self.drifts is None else self.drifts.nbytes
        index = self._index
        if index is not None:
            own += sum(level.starts.nbytes for level in index.levels)
            own += 0 if index.order is None else index.order.nbytes
            own += 0 if index.rows is self._rows else index.rows.nbytes
        return own

    @property
    def index(self) -> SpatialIndex:
        """The spatial index, built on first use; safe from several threads."""
        with self._index_lock:
            if self._index is None:
                from gaussian_core.spatial_index import build_index

                self._index = build_index(
                    self.offsets, self.covariances, self.amplitudes, self._rows, self.origin
                )
            return self._index

    def take_cell_order(self) -> None:
        """Number the Gaussians anew, in the order of the index, and let go of the arrays that it was made of.

        The field then holds every Gaussian once, as by `from_rows` in cell order. For builders, before anybody else
        has the field; its companions go along.
        """
        rows, count = self.index.rows, len(self)
        order = self.index.order
        if self.drifts is not None and order is not None:
            self.drifts = self.drifts[order]
        if self.offsets.dtype == np.float32:
            self.offsets = rows[:2, :count].T
        elif order is not None:  # the rows' places count from several origins
            self.offsets = self.offsets[order]
        self.covariances, self.amplitudes = rows[2:5, :count].T, rows[5:, :count].T
        self._rows = rows
        self._index = replace(self.index, order=None)
        for _, field in self.companions:
            field.take_cell_order()

    def in_rect(self, rect: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Numbers of the Gaussians whose centre lies in (x0, y0, x1, y1), upper edges excluded."""
        return self.index.in_rect(rect)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the field as safetensors: whole or not at all. Raises OutputError, also for a picture's name: nothing
        would open the field by that, and the picture that has it would be gone."""
        if Path(path).suffix.lower() in SUFFIXES:
            raise OutputError(
                f"{Path(path).name} is the name of a picture: a field file ends in {FIELD_SUFFIX}."
            )
        metadata = {
            **self.metadata,
            "format": FORMAT,
            "height": str(self.extent[0]),
            "width": str(self.extent[1]),
        }
        tensors = {
            "means": np.ascontiguousarray(self.means),
            "covariances": np.ascontiguousarray(self.covariances),
            "amplitudes": np.ascontiguousarray(self.amplitudes),
        }
        if self.drifts is not None:
            tensors["drifts"] = np.ascontiguousarray(self.drifts)
        for companion, field in self.companions:
            for name in ARRAYS:
                tensors[f"{companion}.{name}"] = np.ascontiguousarray(getattr(field, name))
        write_tensors(path, tensors, metadata)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> GaussianField:
        """Read a field file. Raises FieldError when it is missing, cut short, of another kind or malformed."""
        from safetensors import SafetensorError, safe_open

        source = Path(path)
        if os.path.isdir(source):
            raise FieldError(f"{source} is a folder, not a field file.")
        if reason := unreachable(source):
            raise FieldError(f"{source} cannot be read: {reason}.")
        if not os.path.exists(source):
            raise FieldError(f"There is no file {source}.")
        try:
            with safe_open(source, framework="numpy") as file:
                metadata = dict(file.metadata() or {})
                names = set(file.keys())
                if metadata.get("format") != FORMAT or not names.issuperset(ARRAYS):
                    raise FieldError(
                        f"{source.name} is a safetensors file but not a Gaussian field of this program."
                    )
                arrays = [file.get_tensor(name) for name in ARRAYS]
                rest = {
                    companion: [file.get_tensor(n) for n in others]
                    for companion in COMPANIONS
                    if names.issuperset(others := [f"{companion}.{name}" for name in ARRAYS])
                }
                drifts = file.get_tensor("drifts") if "drifts" in names else None
            extent = (int(metadata.pop("height")), int(metadata.pop("width")))
        except FieldError:
            raise
        except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
            raise FieldError(
                f"{source.name} is not a readable field file, it may be cut short ({error})."
            ) from error
        metadata.pop("format")
        try:
            companions = {name: cls(m, s, a, extent) for name, (m, s, a) in rest.items()}
            return cls(
                arrays[0], arrays[1], arrays[2], extent, metadata, drifts=drifts, **companions
            )
        except FieldError as error:
            raise FieldError(
                f"{source.name} holds no usable field, build it anew: {error}"
            ) from error


def is_field_file(path: str | os.PathLike[str]) -> bool:
    """By its name, which ends as those of field files do."""
    return Path(path).suffix.lower() == FIELD_SUFFIX


def check_field_name(path: str | os.PathLike[str]) -> None:
    """Raise OutputError for a name by which nothing would open a field."""
    if not is_field_file(path):
        raise OutputError(f"A field file ends in {FIELD_SUFFIX}, which {Path(path).name} does not.")


def origin_near(x: int, y: int) -> tuple[int, int]:
    """The origin for Gaussians about a source pixel: a multiple of SPAN, so that neighbours mostly share it."""
    return x // SPAN * SPAN, y // SPAN * SPAN


def _places(means: ArrayLike) -> NDArray[np.float32] | NDArray[np.float64]:
    """Means as they are held: float32 where that is what they are, or where it is as good."""
    given = np.asarray(means)
    with np.errstate(over="ignore"):  # it is not finite then, which is said later
        single = np.asarray(given, np.float32)
    if given.dtype == np.float32 or not single.size or np.abs(single).max() <= SPAN:
        return single
    return np.asarray(given, np.float64)


def _whole_extent(extent: Any) -> tuple[int, int]:
    try:
        height, width = extent
        whole = int(height), int(width)
    except (TypeError, ValueError):
        whole = None
    if whole is None or whole != (height, width):
        raise FieldError(f"A field's extent is (height, width), whole numbers; got {extent}.")
    return whole
