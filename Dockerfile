# Builds from PyPI's and Debian's pinned releases alone. Run with a volume on /data, or a PostgreSQL URL in TRAINWATCH_DATABASE__URL.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /srv/trainwatch
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes -r requirements-build.txt && pip install --require-hashes -r requirements.txt
COPY . .
RUN pip install --no-deps --no-build-isolation --config-settings editable_mode=compat -e . \
    && useradd --system --uid 10001 --home-dir /data trainwatch \
    && install -d -o trainwatch /data

USER trainwatch
WORKDIR /data
VOLUME /data
ENV TRAINWATCH_DATABASE__URL=sqlite:////data/trainwatch.db
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
ENTRYPOINT ["trainwatch"]
CMD ["serve", "--address", "0.0.0.0"]
