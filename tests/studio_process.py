"""The studio's command in a process of its own; what writes music there begins with torch imported.

python tests/studio_process.py words of studio.py
"""

from gen.cli.studio import main
from gen.studio.music import jobs
from prepared import quick_subprocess

if __name__ == "__main__":
    jobs.subprocess = quick_subprocess
    main()
