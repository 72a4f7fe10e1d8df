"""A web server that keeps what is sent to it: the plainest DVC remote that pods can reach.

`BLOBS=FOLDER uvicorn tests.e2e.cluster.blobs:app`
"""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from mlops.files import write_whole

FOLDER = Path(os.environ.get("BLOBS", "."))


async def _blob(request: Request) -> Response:
    file = FOLDER / request.path_params["name"]
    if request.method == "POST":
        write_whole(file, await request.body())
        return Response(status_code=201)
    return FileResponse(file) if file.is_file() else Response(status_code=404)


app = Starlette(routes=[Route("/{name:path}", _blob, methods=["GET", "HEAD", "POST"])])
