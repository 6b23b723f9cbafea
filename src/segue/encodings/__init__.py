"""Encodings that need more than the kernel has: Arrow for tables, npy for arrays, files, and codecs that seal bytes.

JSON and the registry that chooses an encoding by type are in ``segue.kernel.encoding``; what stands here is registered
there by the engine. Nothing here executes code when it reads. A codec may seal the bytes of any encoding (AES-GCM with
key ids).

May import: ``segue.kernel``, ``segue.errors``, msgspec, cryptography; pyarrow, numpy and DataFrame libraries only
inside functions, since they are an extra. Why a layer of its own: docs/adr/0004.

Start reading: ``segue.kernel.encoding.Encoding``, the protocol that each module here fulfils.
"""

from __future__ import annotations

from segue.encodings.arrow import Arrow, PandasScalars
from segue.encodings.file import File, Files
from segue.encodings.npy import Npy, NumpyScalars
from segue.kernel.encoding import Encodings

__all__ = ["File", "default_encodings"]


def default_encodings() -> Encodings:
    """Everything that ships: JSON, tables as Arrow, arrays as npy, files.

    None of the libraries behind them is imported before a value of theirs comes by.
    """
    return Encodings([Arrow(), Npy(), Files()], plain=[NumpyScalars(), PandasScalars()])
