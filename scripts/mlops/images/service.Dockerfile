# A service: its bento on a runtime. Runs without root, without writing outside of /tmp.
# checkov:skip=CKV_DOCKER_2:Kubernetes probes /readyz and /livez and ignores HEALTHCHECK.
# checkov:skip=CKV_DOCKER_7:The argument names a digest, which says more than a tag.
ARG RUNTIME
FROM ${RUNTIME}
COPY bento /bento
ENV BENTOML_DO_NOT_TRACK=true \
    HOME=/tmp \
    PYTHONPATH=/bento/src:/opt/packages \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 3000
STOPSIGNAL SIGTERM
ENTRYPOINT ["python3", "-B", "-P", "-m", "mlops.serving", "--bento", "/bento"]
CMD ["--host", "0.0.0.0", "--port", "3000"]
