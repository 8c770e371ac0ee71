"""The wheel carries `conf/`, which lies at the top of the repository, as `gen/conf/`."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithConfiguration(build_py):
    """Copies the configuration files beside the package; a checkout reads them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib) / "gen" / "conf"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree("conf", place)


setup(cmdclass={"build_py": WithConfiguration})
