"""`python -m mlops.specs.schemas`: write every schema beside this module."""

from mlops.files import write_whole
from mlops.specs.schemas import HERE, SPECS, file_name, text_of

for name in SPECS:
    write_whole(HERE / file_name(name), text_of(name))
