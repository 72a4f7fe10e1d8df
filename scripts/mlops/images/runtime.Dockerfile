# What services run on: the pinned base and the packages of requirements/serve.txt. The packages
# are fetched and held against their hashes outside, so nothing here needs a network or a compiler.
# checkov:skip=CKV_DOCKER_2:Kubernetes probes /readyz and /livez and ignores HEALTHCHECK.
# checkov:skip=CKV_DOCKER_7:The argument names a digest, which says more than a tag.
ARG BASE
FROM ${BASE}
COPY packages /opt/packages
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/packages
# Compiled now, because a service has a read-only file system; by content, because files have no
# time. The imports prove that the base has the Python and the libraries that the packages need.
USER 0:0
RUN ["python3", "-c", "import compileall, py_compile; compileall.compile_dir('/opt/packages', quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH); import bentoml, httptools, lightgbm, orjson, uvicorn, uvloop"]
USER 10001:10001
