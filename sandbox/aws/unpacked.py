"""A function's code unpacked once, and read by all its workers, as Lambda's is.

MiniStack gives each call that comes while others run a worker of its own, and unpacks
the whole package for it: some 3,000 files, in the process that has to answer everybody.
A crowd of fifty stood still behind that for a minute, and the next start behind the
removal of what fifty had unpacked.
"""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

unpacking = threading.Lock()


class SharedZip(zipfile.ZipFile):
    """A zip whose contents are there once, however often they are asked for."""

    def extractall(self, path: Any = None, *more: Any, **named: Any) -> None:
        """Make an empty folder a link to where the contents are.

        Args:
            path: the folder.
            more: as for any zip.
            named: as for any zip.
        """
        wanted = Path(path)
        try:
            wanted.rmdir()
        except OSError:  # there is something in it already
            super().extractall(path, *more, **named)
            return
        shared = wanted.parent.parent / f"unpacked-{self._digest()}"
        with unpacking:
            if not shared.exists():
                draft = shared.with_suffix(".new")
                super().extractall(draft, *more, **named)
                draft.rename(shared)
        wanted.symlink_to(shared, target_is_directory=True)
        if self.filename:
            os.unlink(self.filename)  # MiniStack's own copy of the package

    def _digest(self) -> str:
        members = [(each.filename, each.CRC, each.file_size) for each in self.filelist]
        return hashlib.sha256(repr(sorted(members)).encode()).hexdigest()[:24]


class SharedZips:
    """The module `zipfile`, for a reader that unpacks the same again and again."""

    ZipFile = SharedZip

    def __getattr__(self, name: str) -> Any:
        return getattr(zipfile, name)
