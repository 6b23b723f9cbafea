"""Where the values of secrets come from: the environment, a folder of files, an encrypted store.

A workflow holds a ``SecretRef``, which travels as a name; only the executing step sees the value, through the scope in
``segue.kernel.secret``, which also keeps it out of payloads, logs and errors. Back ends are asked in order.

May import: ``segue.kernel``, ``segue.errors``, cryptography. Why a layer of its own: docs/adr/0004.

Start reading: ``segue.kernel.secret`` for what a reference is, then the back ends here.
"""

from __future__ import annotations

from segue.secrets.chain import Backend, Given, SecretChain
from segue.secrets.environment import Environment
from segue.secrets.files import SecretFolder, SecretToml
from segue.secrets.store import EncryptedStore

__all__ = ["Backend", "EncryptedStore", "Environment", "Given", "SecretChain", "SecretFolder", "SecretToml"]
